# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a gradient jumps: numbers that rounding may take over the kink of a ReLU, or of a maximum.

The outputs of a net of ReLUs are continuous, its gradients are not: a number that is 1e-8 in one
right computation and -1e-8 in another hands its gradient on in the one and not in the other, and
weights that see a few hundred numbers are off by a tenth of their gradient. Of ten million numbers
a handful is so near, other ones in each computation, so a float64 run or two tell of a few of them.

So all of them are turned over at once. `Watched` notes what goes into ops with a kink (every n-th
number), in the float64 run and in one as golden's. `Turned` runs the model once more and mirrors at
the kink whatever is as near to it as twice what the worst of its channel was off; of maxima it
moves all that may win by as much, up or down by chance. It is done around the call, outside of
autograd, so backward sees what forward does. What one moves another may move back, and all of them
together move a gradient by so much that nothing could be told by it. So they are turned over once
more in parts, each of them in one, by chance, and the most that a number moves counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from bringup.harness.verify.flatten import flatten
from bringup.harness.verify.natural import Natural, natural_errors

_AT: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("relu", "relu_", "leaky_relu", "leaky_relu_", "prelu", "abs"), (0.0,)),
    **dict.fromkeys(("relu6", "relu6_"), (0.0, 6.0)),
    **dict.fromkeys(("hardswish", "hardswish_", "hardsigmoid", "hardsigmoid_"), (-3.0, 3.0)),
}
"""Where ops have their kinks."""
_BETWEEN = frozenset({"hardtanh", "hardtanh_", "clamp", "clamp_", "clip", "clip_", "clamp_min"})
"""Ops that say so themselves: all numbers they take are kinks."""
_MAXIMA = frozenset(
    {"max", "amax", "min", "amin", "max_pool1d", "max_pool2d", "max_pool3d"}
    | {"adaptive_max_pool1d", "adaptive_max_pool2d", "max_pool1d_with_indices"}
    | {"max_pool2d_with_indices", "max_pool3d_with_indices"}
)
_NOTED = 1 << 16
"""Numbers of each call that are looked at, some of every channel."""
_TIMES = 2.0
"""So many times what the worst of its channel is off by, a number may be: a channel that a norm has
divided by hardly anything is off by a hundred times as much as its neighbours."""
_PARTS = 4
"""In so many parts, which is nearer to what a device does. Half of those near in VoVNet move up to
31 of its 40 kernels by more than `_TELLS`, and tell nothing of the rows that jump; a quarter moves
one of them so at most."""
KINK_DRAWS = 1 + _PARTS
"""How often: once all of them, then each part."""
_ALL_AT_ONCE = 0.2
"""Of what all that is near moves a gradient by, this part is taken for golden's own error, of which
a device may be off by eight times: once and a half of what all of them come to, for a device turns
a sixth of them over."""
_TELLS = 0.05
"""A gradient that is moved by more than this part of itself is not judged by it: where norms of a
few values make a large difference of any rounding, every fault would pass."""


@dataclass(frozen=True)
class _Call:
    name: str
    shape: torch.Size
    numbers: torch.Tensor
    """Of what goes in, every n-th of each channel: of shape (batch, channels, n), float64."""


class Watched(TorchFunctionMode):
    """While it is active, what goes into ops with a kink is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[_Call] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Note, and call the function."""
        if _has_kinks(func, args):
            self.calls.append(_Call(func.__name__, args[0].shape, _some(args[0])))
        return func(*args, **(kwargs or {}))


class Turned(TorchFunctionMode):
    """While it is active, what rounding may take over a kink is on its other side."""

    def __init__(self, exact: Watched, golden: Watched, draw: int = 0) -> None:
        """`exact` watched the float64 run, `golden` one like golden's own. In draw 0 all are on
        their other side, in every other one a part of them."""
        super().__init__()
        self._calls = iter(zip(golden.calls, exact.calls, strict=False))
        self._draw, self._generator = draw, torch.Generator().manual_seed(draw)
        self._divides = torch.Generator().manual_seed(0)  # alike in all draws
        self.turned = 0
        """So many numbers were mirrored."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function on numbers that are turned over."""
        kwargs = kwargs or {}
        if not _has_kinks(func, args):
            return func(*args, **kwargs)
        taken = args[0]
        calls = next(self._calls, ())
        if {(c.name, c.shape) for c in calls} != {(func.__name__, taken.shape)}:
            raise ValueError("the model took another way than in float64")
        with torch.no_grad():
            move = self._move(taken, calls, args, kwargs)
        if _in_place(func.__name__, args, kwargs):
            return func(taken.add_(move), *args[1:], **kwargs)
        return func(taken + move, *args[1:], **kwargs)

    def _move(
        self,
        taken: torch.Tensor,
        calls: Sequence[_Call],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> torch.Tensor:
        """What to add to what goes in, of its shape."""
        if not taken.numel():
            return torch.zeros_like(taken)
        call, exact = calls
        off = (call.numbers - exact.numbers).abs().amax((0, 2)).mul_(_TIMES)
        off = off.nan_to_num_(0.0, 0.0, 0.0).to(taken.dtype)
        off = off.view(1, -1, *(1 for _ in taken.shape[2:])) if taken.dim() > 1 else off
        if call.name in _MAXIMA:
            up = torch.rand(taken.shape, generator=self._generator) < 0.5
            return torch.where(up, off, -off).to(taken.dtype)
        move = torch.zeros_like(taken)
        for kink in _kinks(call.name, args, kwargs):
            near = ((taken - kink).abs() < off) & (taken != kink)
            if self._draw:
                part = torch.randint(1, 1 + _PARTS, taken.shape, generator=self._divides)
                near &= part == self._draw
            self.turned += int(near.sum())
            move = torch.where(near, 2 * (kink - taken), move)
        return move


def turned_over(own: Natural, golden: object, moved: object) -> Natural:
    """Golden's own error, and beside it what gradients jump by.

    Args:
        own: golden's own error by path.
        golden: what golden gave, of any type that `flatten` takes.
        moved: the same with all turned over that is near a kink.
    """
    found = dict(own)
    jumps = natural_errors(moved, golden)
    for leaf in flatten(golden):
        jump = jumps.get(leaf.path)
        if jump is None or not isinstance(leaf.value, torch.Tensor):
            continue
        if float(jump.norm()) > _TELLS * float(leaf.value.norm()):
            continue
        jump = jump * _ALL_AT_ONCE
        error = found.get(leaf.path, torch.zeros_like(jump))
        found[leaf.path] = torch.where(jump.abs() > error.abs(), jump, error)
    return found


def _has_kinks(func: Any, args: tuple[Any, ...]) -> bool:
    name = getattr(func, "__name__", "")
    if name not in _AT and name not in _BETWEEN and name not in _MAXIMA:
        return False
    return bool(args) and isinstance(args[0], torch.Tensor) and args[0].is_floating_point()


def _kinks(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[float, ...]:
    if name in _AT:
        return _AT[name]
    given = (*args[1:], *kwargs.values())
    return tuple(float(v) for v in given if isinstance(v, int | float) and not isinstance(v, bool))


def _in_place(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Does a function write into what it takes? The only bool it takes says so, if its name does
    not.
    """
    if name in _MAXIMA:
        return False
    return name.endswith("_") or any(v is True for v in (*args[1:], *kwargs.values()))


def _some(taken: torch.Tensor) -> torch.Tensor:
    """Every n-th number of each channel, which the second axis is of whatever has one."""
    taken = taken.detach()
    channels = taken.flatten(2) if taken.dim() > 2 else taken[..., None]
    channels = channels if channels.dim() > 2 else taken.reshape(1, 1, -1)
    some = channels[:, :, :: max(1, taken.numel() // _NOTED)]
    return some.to(torch.float64, copy=True)  # what goes in may be written to
