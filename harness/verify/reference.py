# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The same model in float64: what says how far its golden is off by rounding alone.

`Float64` is a dispatch mode: every op of an eager run, backward included, computes in float64 from
float64, whatever dtypes the model names. No second copy of the model is made: a weight is widened
where an op takes it. PyTorch's benchmarks judge compilers by such a run, of a copy of the model
(`torch._dynamo.utils.same`); what is done with it here is in `blocks`.

What cannot be computed in float64 (an op without a kernel for it, random numbers, an op that
writes into memory of another dtype) is computed as it stands, so the reference is at worst less
precise, and the golden's own rounding looks smaller than it is.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Self

import torch
from torch.nn import functional as F  # PyTorch's own abbreviation
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

_WIDER = {torch.complex32: torch.complex128, torch.complex64: torch.complex128}
_MOVES = frozenset(
    f"aten::{name}"
    for name in (
        *("embedding", "index", "index_select", "gather", "clone", "slice", "select", "detach"),
        *("alias", "lift_fresh", "t", "_local_scalar_dense", "item", "equal", "is_same_size"),
    )
)
"""Values pass through these unchanged, and may stay narrow until something is computed of them:
an embedding need not be widened for the few rows that are looked up."""


class Float64(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is active, floats are computed in float64.

    Source of the method: `same` in PyTorch's `torch/_dynamo/utils.py` holds a compiler's error to
    that of eager mode, both beside a float64 run.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.narrow: set[str] = set()
        """Ops that were computed as they stand, since they refuse float64."""
        self.coarse: set[torch.dtype] = set()
        """Of 16 bits and less, the dtypes that ops compute in without it. What is only widened
        before anything is computed of it does not count."""
        self._default = torch.float32
        self._functions = _Functions()
        self._kernels = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """What a model makes without naming a dtype is float64 too."""
        self._default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        super().__enter__()  # type: ignore[no-untyped-call]
        # the fused kernel for the CPU gives float32 for float64
        self._kernels.enter_context(sdpa_kernel(SDPBackend.MATH))
        self._kernels.enter_context(_recurrent_layers_take_any_dtype())
        self._functions.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        """As it was before."""
        self._functions.__exit__(*raised)  # type: ignore[no-untyped-call]
        self._kernels.close()
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        torch.set_default_dtype(self._default)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Compute an op on float64 tensors; what it writes keeps its dtype."""
        kwargs = kwargs or {}
        schema = func._schema
        self._note_coarse(schema.name, args, kwargs)
        if func.is_view or schema.name in _MOVES:
            return func(*args, **kwargs)
        if schema.name == "aten::_to_copy" and torch._C._current_graph_task_id() != -1:
            return func(*args, **kwargs)  # backward itself: a gradient has its parameter's dtype
        if torch.Tag.nondeterministic_seeded in func.tags:
            return _as_in_golden(func, args, kwargs, self._default)
        if schema.is_mutable:
            return self._writing(func, args, kwargs)
        try:
            return func(*pytree.tree_map(_widened, args), **pytree.tree_map(_widened, kwargs))
        except (NotImplementedError, RuntimeError):
            self.narrow.add(schema.name)
            return func(*args, **kwargs)

    def _note_coarse(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if name in _MOVES:
            return
        taken = [kwargs.get("dtype")] if name == "aten::_to_copy" else pytree.tree_leaves(args)
        for value in taken:
            dtype = value.dtype if isinstance(value, torch.Tensor) else value
            if isinstance(dtype, torch.dtype) and dtype.is_floating_point and dtype.itemsize <= 2:
                self.coarse.add(dtype)

    def _writing(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An op that writes: all it takes is widened but what it writes into."""
        written = [
            a.alias_info is not None and a.alias_info.is_write for a in func._schema.arguments
        ]
        names = [a.name for a in func._schema.arguments]
        wide = [a if written[i] else pytree.tree_map(_widened, a) for i, a in enumerate(args)]
        named = {
            name: a if written[names.index(name)] else pytree.tree_map(_widened, a)
            for name, a in kwargs.items()
        }
        try:
            return func(*wide, **named)
        except (NotImplementedError, RuntimeError):
            self.narrow.add(func._schema.name)
            return func(*args, **kwargs)


@contextlib.contextmanager
def _recurrent_layers_take_any_dtype() -> Iterator[None]:
    """`nn.LSTM` and its like compare dtypes in Python, before any function is called."""
    base = torch.nn.RNNBase
    check = base.check_input
    base.check_input = lambda *given: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        base.check_input = check  # type: ignore[method-assign]


class _Functions(TorchFunctionMode):
    """Widens what these functions take before they look at it.

    They refuse a computed input, which is float64, beside a weight of the model, which is not yet;
    and they do so before any op is reached.
    """

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function on float64 tensors if it is one of them."""
        kwargs = kwargs or {}
        if func in _STRICT:
            args, kwargs = pytree.tree_map(_widened, (args, kwargs))
        return func(*args, **kwargs)


_STRICT = frozenset(
    {
        *(torch.conv1d, torch.conv2d, torch.conv3d, torch.convolution),
        *(torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d),
        *(torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu),
        *(torch.lstm_cell, torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell),
        *(torch.bilinear, F.bilinear, F.scaled_dot_product_attention),
    }
)


def _widened(value: Any) -> Any:
    """A float in float64, a float dtype as float64; all else as it is."""
    if isinstance(value, torch.Tensor):
        return value.to(_wide(value.dtype)) if _wide(value.dtype) is not value.dtype else value
    return _wide(value) if isinstance(value, torch.dtype) else value


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype.is_floating_point else _WIDER.get(dtype, dtype)


def _as_in_golden(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], default: torch.dtype
) -> Any:
    """The same random numbers as the golden had: which are drawn can depend on the dtype.

    An op that is given no dtype, nor a tensor that has one, draws in golden's `default`.
    """
    schema = func._schema
    names = [argument.name for argument in schema.arguments]
    if "dtype" in names and not any(isinstance(v, torch.Tensor) for v in pytree.tree_leaves(args)):
        kwargs = {**kwargs, "dtype": kwargs.get("dtype") or default}
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    narrow = {name: _narrowed(value) for name, value in given.items()}
    drawn = func(*[narrow[name] for name in names[: len(args)]], **{n: narrow[n] for n in kwargs})
    written = [a.name for a in schema.arguments if a.alias_info and a.alias_info.is_write]
    for name in written:
        if narrow[name] is not given[name]:
            given[name].copy_(narrow[name])
    same = {id(narrow[name]): given[name] for name in written}
    return same.get(id(drawn), drawn)


def _narrowed(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.dtype is torch.float64:
        return value.to(torch.float32)
    return value
