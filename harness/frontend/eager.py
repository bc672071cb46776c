# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Eager PyTorch as it is exported: without the shortcuts that only eager takes."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional as F  # PyTorch's own abbreviation
from torch.overrides import TorchFunctionMode


@contextlib.contextmanager
def without_fast_paths() -> Iterator[None]:
    """Have `nn.TransformerEncoder` and `nn.MultiheadAttention` compute what their Python says.

    In eval mode, eager hands whole layers to one fused kernel. With a padding mask that packs the
    batch into a nested tensor and leaves zeros where the mask is: other values than those of the
    graph that is exported. (The kernels of scaled dot product attention agree on fully masked rows
    and may stay.) Restores the setting.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextlib.contextmanager
def compiled_parts_in_eager() -> Iterator[None]:
    """Have what `torch.compile` made of a model, or of its parts, run as it was before."""
    with torch.compiler.set_stance("force_eager"):
        yield


@contextlib.contextmanager
def told_it_is_compiled() -> Iterator[None]:
    """Have `torch.compiler.is_compiling` and `is_exporting` say so, as they do at export."""
    names = ("_is_compiling_flag", "_is_exporting_flag")
    before = [getattr(torch.compiler, name) for name in names]
    try:
        for name in names:
            setattr(torch.compiler, name, True)
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            setattr(torch.compiler, name, value)


class WithoutDropout(TorchFunctionMode):
    """Has a step of training compute what it does where nothing is dropped.

    Which elements dropout leaves out is drawn anew for each step, and by each device in its own
    way: no two could be compared. `calls` counts where something would have been dropped.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function, with a probability of 0 if it is one that drops."""
        kwargs = kwargs or {}
        if func not in _DROPS:
            return func(*args, **kwargs)
        name, place, default = _DROPS[func]
        if func in _RECURRENT and not isinstance(args[2], list | tuple):
            place -= 1  # of a padded sequence, which takes no sizes of batches
        given = args[place] if place < len(args) else kwargs.get(name, default)
        if place < len(args):
            args = (*args[:place], type(given)(0), *args[place + 1 :])
        else:
            kwargs = {**kwargs, name: type(given)(0)}
        self.calls += bool(given)
        return func(*args, **kwargs)


_RECURRENT = {torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu}
_DROPS: dict[Any, tuple[str, int, float]] = {
    F.dropout: ("training", 2, True),
    F.alpha_dropout: ("training", 2, False),
    F.feature_alpha_dropout: ("training", 2, False),
    **{f: ("training", 2, True) for f in (F.dropout1d, F.dropout2d, F.dropout3d)},
    **{
        f: ("train", 2, False)
        for f in (
            *(torch.dropout, torch.dropout_, torch.alpha_dropout, torch.alpha_dropout_),
            *(torch.feature_dropout, torch.feature_dropout_),
            *(torch.feature_alpha_dropout, torch.feature_alpha_dropout_),
        )
    },
    F.scaled_dot_product_attention: ("dropout_p", 4, 0.0),
    F.multi_head_attention_forward: ("dropout_p", 10, 0.0),
    **{f: ("dropout", 6, 0.0) for f in _RECURRENT},
}
"""Of each function that drops: the argument that says whether, its place, and its default."""


class DenseEmbeddings(TorchFunctionMode):
    """Has embeddings give dense gradients, whatever their `sparse` says.

    They are the same values, and no device has the other layout; nor does torch-mlir lower an
    embedding that says so, be it evaluated or trained.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function."""
        if func not in _SPARSE:
            return func(*args, **(kwargs or {}))
        given = dict(zip(_SPARSE[func], args, strict=False)) | (kwargs or {})
        return func(**{**given, "sparse": False})


_SPARSE = {f: [*inspect.signature(f).parameters] for f in (F.embedding, F.embedding_bag)}
"""The arguments of each function whose gradients may be sparse."""
_DROPPING = ("DropPath", "StochasticDepth", "DropBlock")
"""How the names of modules end that leave out whole branches, in every library that has them."""


def keep_all_branches(model: torch.nn.Module) -> int:
    """Put into eval mode what drops by numbers that it draws itself; how many there are."""
    found = [m for m in model.modules() if type(m).__name__.endswith(_DROPPING)]
    for module in found:
        module.eval()
    return len(found)
