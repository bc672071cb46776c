# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""While a model is exported: what `torch.export` does not see is said in words that it does.

`tensor.data` passes every record by; here it is `detach()`, which gives the same memory. Assigning
to it is a write. `torch.inference_mode` leaves no trace in a graph, so that gradients would flow
through it; here it is `torch.no_grad`.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from bringup.harness.errors import HarnessError


class ReplacedStateError(HarnessError):
    """A model gives a tensor's data another shape or dtype, which no exported program can say."""


@contextlib.contextmanager
def said_to_export() -> Iterator[None]:
    """Within it, models may be exported that use `tensor.data` and `torch.inference_mode`."""
    mode = torch.inference_mode
    before = mode.__enter__, mode.__exit__
    mode.__enter__, mode.__exit__ = _enter_no_grad, _exit_no_grad  # type: ignore[method-assign]
    try:
        with _Data():
            yield
    finally:
        mode.__enter__, mode.__exit__ = before  # type: ignore[method-assign]


@contextlib.contextmanager
def quiet_gradient_modes() -> Iterator[None]:
    """Within it, a forward that is evaluated may switch gradients on and off, and it stays inside.

    No value depends on it, and PyTorch cannot decompose a graph that switches them on and not off
    again. A step of training needs its switches: there they are recorded.
    """
    if torch.is_grad_enabled():
        yield
        return
    try:
        with _Unrecorded():
            yield
    finally:
        _switch(False)


def _switch(enabled: bool) -> None:
    with torch._C.DisableTorchFunction():
        torch._C._set_grad_enabled(enabled)


class _Unrecorded(TorchFunctionMode):
    """Hides the switch from the modes that record."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function."""
        if func is torch._C._set_grad_enabled:
            return _switch(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _enter_no_grad(region: Any) -> None:
    region.outside = torch.is_grad_enabled()
    torch.set_grad_enabled(region.outside and not region.mode)


def _exit_no_grad(region: Any, *raised: Any) -> None:
    torch.set_grad_enabled(region.outside)


class _Data(TorchFunctionMode):
    """Makes `tensor.data` an op like others."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function, unless it is one of the two."""
        if func == _GET:  # a wrapper made anew for each call
            return args[0].detach()
        if func == _SET:
            return _write(*args)
        return func(*args, **(kwargs or {}))


_GET = torch.Tensor.data.__get__  # type: ignore[attr-defined]
_SET = torch.Tensor.data.__set__  # type: ignore[attr-defined]


def _write(tensor: torch.Tensor, value: torch.Tensor) -> None:
    if (tensor.shape, tensor.dtype) != (value.shape, value.dtype):
        raise ReplacedStateError(
            f"forward assigns a {value.dtype} of shape {tuple(value.shape)} to the data of a"
            f" {tensor.dtype} of shape {tuple(tensor.shape)}, which no exported program can say"
        )
    with torch.no_grad():
        tensor.detach().copy_(value)
