# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Copies of nested values that share no memory with the original, and share the same among them."""

import contextlib
import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from bringup.harness.dense import as_bytes
from bringup.harness.reach import reached

T = TypeVar("T")


def copied(value: T, keep: Callable[[torch.Tensor], bool] = lambda tensor: False) -> T:
    """Copy containers, objects and tensors; tensors that `keep` accepts are shared.

    Tensors of one storage, views included, are of one storage in the copy; a conjugate or negative
    bit and `requires_grad` go along, a graph of autograd does not. Modules are never copied, nor is
    an object that refuses to be.
    """
    memo: dict[int, Any] = {}
    storages: dict[int, torch.UntypedStorage] = {}
    opaque, odd = {}, []
    for held in reached(value):
        if isinstance(held, torch.Tensor):
            if keep(held):
                memo[id(held)] = held
            elif is_plain(held):
                memo[id(held)] = _copy_of(held, storages)
        elif isinstance(held, torch.nn.Module):
            memo[id(held)] = held
        elif not isinstance(held, dict | list | tuple | set):
            opaque[id(held)] = held
        elif isinstance(held, dict) and _is_odd(held):
            odd.append(held)
    try:
        return _deep(value, dict(memo), odd)
    except Exception:  # whatever an object's own way to copy itself raises
        return _deep(value, opaque | memo, odd)


def _is_odd(value: dict[Any, Any]) -> bool:
    """Is it a dictionary with items for attributes that `copy` makes less of, or nothing?

    One whose `__getattr__` raises KeyError, and one that is its own `__dict__`.
    """
    try:
        getattr(value, "__deepcopy__", None)
        return getattr(value, "__dict__", None) is value
    except Exception:  # whatever it raises for an attribute that it lacks
        return True


def _deep(value: T, memo: dict[int, Any], odd: list[dict[Any, Any]]) -> T:
    """As `copy.deepcopy`, but for dictionaries that are odd: item by item, attributes too."""
    shells = [type(held).__new__(type(held)) for held in odd]
    memo |= {id(held): shell for held, shell in zip(odd, shells, strict=True)}
    for held, shell in zip(odd, shells, strict=True):
        for key, item in dict.items(held):
            dict.__setitem__(shell, copy.deepcopy(key, memo), copy.deepcopy(item, memo))
        if type(held).__dictoffset__:
            own = object.__getattribute__(held, "__dict__")
            attributes = shell if own is held else copy.deepcopy(own, memo)
            object.__setattr__(shell, "__dict__", attributes)
    return copy.deepcopy(value, memo)


def is_plain(tensor: torch.Tensor) -> bool:
    """Is a tensor a view of one storage of bytes, and no more than that?"""
    return (
        type(tensor) in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
        and tensor.layout is torch.strided
        and not tensor.is_quantized
        and not tensor.is_meta
        and not tensor.is_nested
    )


def _copy_of(tensor: torch.Tensor, storages: dict[int, torch.UntypedStorage]) -> torch.Tensor:
    storage = tensor.untyped_storage()
    key = storage._cdata
    if key not in storages:
        storages[key] = copy_of(storage)
    return over(tensor, storages[key]).requires_grad_(tensor.requires_grad)


def copy_of(storage: torch.UntypedStorage) -> torch.UntypedStorage:
    """A storage of its own with the same bytes."""
    copy: torch.UntypedStorage = storage.clone()  # type: ignore[no-untyped-call]
    return copy


def over(tensor: torch.Tensor, storage: torch.UntypedStorage) -> torch.Tensor:
    """The view that `tensor` is of its storage, of another storage of the same size."""
    place = tensor.storage_offset(), tensor.size(), tensor.stride()
    raw = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(storage, *place)
    raw = raw.conj() if tensor.is_conj() else raw
    return torch._neg_view(raw) if tensor.is_neg() else raw


def identical(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Have two tensors the same type, shape and values, to the last bit?"""
    if one.dtype != other.dtype or one.shape != other.shape or one.layout != other.layout:
        return False
    if not (is_plain(one) and is_plain(other)):
        with contextlib.suppress(RuntimeError, NotImplementedError):  # sparse ones, for instance
            return bool(torch.equal(one, other))
        return one is other
    return bool(torch.equal(_bytes(one), _bytes(other)))


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return as_bytes(tensor.detach().resolve_conj().resolve_neg())
