# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tensors as they were, without a second copy of a model's weights.

What is small, and no parameter, is copied at once. Anything else is copied the moment before it is
first written: a run is watched by a dispatch mode, which sees every operation of PyTorch before
it happens, `tensor.data` and views included. What a write by other means (numpy's view of a
tensor, an extension that does not declare it) does to a parameter, or to a tensor over
`COPIED_AT_ONCE`, goes unseen.
"""

import functools
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bringup.harness.state.copies import copy_of, is_plain, over

COPIED_AT_ONCE = 16 << 20
"""Bytes of a storage up to which it is copied without waiting for a write."""
_UNDECLARED = ("running_mean", "running_var")
"""Arguments that batch normalisation writes although its schema does not say so."""


@dataclass(frozen=True)
class _Known:
    """A tensor as it was found."""

    tensor: torch.Tensor
    view: torch.Tensor
    """The same memory, under a handle of its own."""
    requires_grad: bool
    grad: torch.Tensor | None
    version: int
    """Of its contents, as PyTorch counts writes."""


class TensorStates:
    """Contents, memory and flags of tensors, and the way back to them."""

    def __init__(self, tensors: Iterable[torch.Tensor]) -> None:
        self._known: list[_Known] = []
        self._live: dict[int, torch.UntypedStorage] = {}
        """By address: the storages that are looked after."""
        self._saved: dict[int, torch.UntypedStorage] = {}
        """By address: copies of those that were, or may be, written."""
        self._marks: dict[int, int] = {}
        """By address: checksums of those that were not, when they were marked."""
        for tensor in tensors:
            if is_plain(tensor):
                self._add(tensor)

    def _add(self, tensor: torch.Tensor) -> None:
        grad = tensor.grad if tensor.is_leaf else None
        known = _Known(tensor, tensor.detach(), tensor.requires_grad, grad, tensor._version)
        self._known.append(known)
        storage = tensor.untyped_storage()
        if storage.nbytes():
            self._live[storage.data_ptr()] = storage
        at_once = storage.nbytes() <= COPIED_AT_ONCE
        if at_once and not isinstance(tensor, torch.nn.Parameter):
            self.save(tensor)

    def save(self, tensor: torch.Tensor) -> None:
        """Copy a tensor's storage, if it is one of ours, before it is written."""
        if not is_plain(tensor):
            return
        storage = tensor.untyped_storage()
        address = storage.data_ptr()
        if address in self._live and address not in self._saved:
            self._saved[address] = copy_of(self._live[address])

    def watched(self) -> TorchDispatchMode:
        """A context in which whatever is about to be written is saved first."""
        return _Watch(self.save)

    def may_have_changed(self, tensor: torch.Tensor, since: torch.Tensor | None = None) -> bool:
        """Does a tensor lie in memory that was, or may have been, written, or not where it lay?"""
        if since is not None and not _same_place(tensor, since):
            return True
        return is_plain(tensor) and tensor.untyped_storage().data_ptr() in self._saved

    def before(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor, or an earlier handle of it, with the contents that it had at first."""
        saved = self._saved.get(tensor.untyped_storage().data_ptr()) if is_plain(tensor) else None
        return tensor.detach() if saved is None else over(tensor.detach(), saved)

    def mark(self) -> None:
        """Note the contents of what was not copied, by which `intact` tells writes that nothing
        counts, as those to `tensor.data` are, and to numpy's view."""
        rest = (each for each in self._live.items() if each[0] not in self._saved)
        self._marks = {address: _checksum(storage) for address, storage in rest}

    def intact(self) -> bool:
        """Was nothing written but what was saved before?"""
        counted = all(
            known.tensor._version == known.version or self.may_have_changed(known.tensor)
            for known in self._known
        )
        return counted and all(
            address in self._saved or _checksum(self._live[address]) == mark
            for address, mark in self._marks.items()
        )

    def restore(self) -> None:
        """Put back contents, memory and flags."""
        for address, saved in self._saved.items():
            live = self._live[address]
            if live.nbytes() != saved.nbytes():
                live.resize_(saved.nbytes())
            if not _same_bytes(live, saved):  # it may be of a file that nobody may write to
                live.copy_(saved)
        for known in self._known:
            _put_back(known)


def _checksum(storage: torch.UntypedStorage) -> int:
    """Of the bytes, 4 GB a second; 0 for what lies on no CPU."""
    if storage.device.type != "cpu":
        return 0
    return zlib.crc32(torch.empty(0, dtype=torch.uint8).set_(storage).numpy().data)


def _same_bytes(one: torch.UntypedStorage, other: torch.UntypedStorage) -> bool:
    raw = (torch.empty(0, dtype=torch.uint8).set_(storage) for storage in (one, other))
    return torch.equal(*raw)


def _same_place(one: torch.Tensor, other: torch.Tensor) -> bool:
    if not (is_plain(one) and is_plain(other)):
        return False
    places = [(t.data_ptr(), t.dtype, t.size(), t.stride()) for t in (one, other)]
    return places[0] == places[1]


def _put_back(known: _Known) -> None:
    tensor, view = known.tensor, known.view
    if not _same_place(tensor, view):
        tensor.data = view
    if tensor.is_leaf:
        if tensor.requires_grad != known.requires_grad:
            tensor.requires_grad_(known.requires_grad)
        if tensor.grad is not known.grad:
            tensor.grad = known.grad


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Calls back with every tensor that an operation is about to write."""

    supports_higher_order_operators = True

    def __init__(self, before_write: Callable[[torch.Tensor], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._before_write = before_write

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for tensor in _written(func, args, kwargs or {}):
            self._before_write(tensor)
        return func(*args, **(kwargs or {}))


def _written(func: Any, args: Any, kwargs: Any) -> Iterator[torch.Tensor]:
    for position, name in _writes(func):
        given = args[position] if position < len(args) else kwargs.get(name)
        for value in given if isinstance(given, list | tuple) else (given,):
            if isinstance(value, torch.Tensor):
                yield value


@functools.cache
def _writes(func: Any) -> tuple[tuple[int, str], ...]:
    schema = getattr(func, "_schema", None)  # a higher-order operator has none
    return tuple(
        (position, argument.name)
        for position, argument in enumerate(schema.arguments if schema else ())
        if argument.name in _UNDECLARED
        or (argument.alias_info is not None and argument.alias_info.is_write)
    )
