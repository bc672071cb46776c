# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""More than one look at golden's rounding: the same model with its parameters rounded otherwise.

One golden beside one float64 run is one sample of what rounding does to each number. Where the
numbers of a row are each off by chance of their own, that says how far the row may be off. Where
one number before them is off and takes all of them along (the step of a recurrent state, a scale),
it is one throw: in one row of twelve it is less than a tenth of the usual one, and the row looks
as if it were hardly rounded at all. So what fails by little is judged once more by several samples.

A sample is a run on parameters that are each off by up to one rounding, which is what a device of
the same arithmetic may make of the first sum that they are in; everything after it follows. The
idea is Parker's Monte Carlo arithmetic (1997), which perturbs every operand.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from bringup.harness.verify.natural import Natural

SAMPLES = 4
"""Besides golden itself, at most: a check that holds asks for no more. All five throws are less
than a tenth of the usual one, together, in one row of 30,000; of mamba's states on iree-cpu, what
had to be 13.5 times golden's own error is 4 times theirs."""


_THROWN = 65_521
"""Random numbers that are thrown for a sample. To throw one for each of 130 million parameters took
as long as the model; they are used again and again, from another place in each op. A prime, so that
no two rows of a weight have the same."""


class Rerounded(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is active, ops compute with parameters that are off by up to one rounding."""

    def __init__(self, parameters: Iterable[torch.Tensor], seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._memory = {_memory_of(p) for p in parameters if p.is_floating_point()}
        self._generator = torch.Generator().manual_seed(seed)
        thrown = torch.rand(_THROWN, generator=self._generator, dtype=torch.float64) * 2 - 1
        self._thrown = thrown.repeat(2)  # from any place on there are enough
        self._errors: dict[torch.dtype, torch.Tensor] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Compute an op that makes new numbers of parameters; what is written stays as it is."""
        kwargs = kwargs or {}
        if not func.is_view and not func._schema.is_mutable:
            args, kwargs = pytree.tree_map(self._rerounded, (args, kwargs))
        return func(*args, **kwargs)

    def _rerounded(self, value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            return value
        if _memory_of(value) not in self._memory:
            return value
        start = int(torch.randint(_THROWN, (), generator=self._generator))
        thrown = self._errors_in(value.dtype)[start:]
        rounded = torch.empty_like(value)
        flat, into = _flat(value.detach(), rounded.stride()), _flat(rounded, rounded.stride())
        whole = len(flat) // _THROWN * _THROWN
        for part, of in ((slice(whole), _THROWN), (slice(whole, None), len(flat) - whole)):
            rows = flat[part].view(-1, max(of, 1))
            torch.addcmul(rows, rows, thrown[:of], out=into[part].view(rows.shape))
        return rounded

    def _errors_in(self, dtype: torch.dtype) -> torch.Tensor:
        if dtype not in self._errors:
            self._errors[dtype] = (self._thrown * (torch.finfo(dtype).eps / 2)).to(dtype)
        return self._errors[dtype]


def _flat(tensor: torch.Tensor, strides: tuple[int, ...]) -> torch.Tensor:
    """All numbers in the order of memory: laid out otherwise, sums are added up otherwise."""
    if tensor.stride() != strides:
        tensor = torch.empty_like(tensor).copy_(tensor)
    return tensor.as_strided((tensor.numel(),), (1,), tensor.storage_offset())


def _memory_of(tensor: torch.Tensor) -> int:
    if tensor.layout is not torch.strided:
        return 0
    return tensor.untyped_storage().data_ptr()


@dataclasses.dataclass
class _Sum:
    squares: torch.Tensor
    largest: torch.Tensor
    count: int = 1


class Spread:
    """What golden is off by, of golden and of samples: `natural`."""

    def __init__(self, own: Natural) -> None:
        """`own` is golden's error by path, as one reference tells it."""
        self._own = own
        self._sums: dict[str, _Sum] = {}
        self.samples = 0
        """How many were added."""

    def add(self, differences: Natural) -> None:
        """Add one sample, less golden: by path a tensor of the leaf's shape, in its unit."""
        self.samples += 1
        for path, error in differences.items():
            own = self._own.get(path, torch.zeros_like(error))
            held = self._sums.setdefault(path, _Sum(own.abs().square(), own.clone()))
            error = error + own
            held.count += 1
            held.squares += error.abs().square()
            held.largest = torch.where(error.abs() > held.largest.abs(), error, held.largest)

    @property
    def natural(self) -> Natural:
        """By path the root of the mean square of all, or golden's own where that is larger.

        Each element has the sign of its largest error: what moves a row together has one sign in
        all of the row, or that of golden.
        """
        found = dict(self._own)
        for path, held in self._sums.items():
            size = (held.squares / held.count).sqrt()
            if path in self._own:
                size = size.maximum(self._own[path].abs())
            found[path] = held.largest.sgn() * size
        return found
