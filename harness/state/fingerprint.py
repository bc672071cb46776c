# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A digest of an object's values and code, equal for equal objects; none where that is unsure."""

import contextlib
import hashlib
import io
import pickle
import warnings
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

from bringup.harness.reach import code_parts

LARGEST = 64 << 20
"""Bytes above which a value is not worth its digest."""


class _NoFingerprint(Exception):
    """A value cannot be told from another one."""


class _Digest(io.RawIOBase):
    """Takes bytes, keeps their digest."""

    def __init__(self) -> None:
        super().__init__()
        self._hash = hashlib.sha256()
        self._left = LARGEST

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._left -= size
        if self._left < 0:
            raise _NoFingerprint
        self._hash.update(data)
        return size

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def fingerprint(values: Mapping[str, Any], owner: type, base: type) -> str | None:
    """A digest that only equal `values`, and classes from `owner` up to `base`, have; None: unsafe.

    Values go by their pickles: whatever has none (a lambda, a class inside a function, a lock) has
    no fingerprint. A class goes by the data and the code in it, and by what its functions close
    over: one that is made anew in every test may differ in that alone.
    """
    digest = _Digest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for value in (sorted(values.items()), *_parts_of_class(owner, base)):
                pickle.dump(value, digest, protocol=5)
    except Exception:  # whatever an object's own way to be pickled raises
        return None
    return digest.hexdigest()


def digest_of(value: object) -> str | None:
    """A digest that only equal values have; None for what has no pickle, or a large one."""
    digest = _Digest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pickle.dump(value, digest, protocol=5)
    except Exception:  # as above
        return None
    return digest.hexdigest()


def _parts_of_class(owner: type, base: type) -> Iterator[object]:
    for cls in owner.__mro__[: owner.__mro__.index(base)]:
        yield cls.__module__, cls.__qualname__
        for name, member in sorted(vars(cls).items()):
            if name.startswith("__") and not callable(member):
                continue
            yield name, [*_parts_of_member(member)]


def _parts_of_member(member: Any) -> Iterator[object]:
    inner = (getattr(member, name, None) for name in ("fget", "fset", "__func__", "func"))
    functions = [f for f in (member, *inner) if isinstance(f, FunctionType)]
    if not functions:
        yield member
    for function in functions:
        yield from code_parts(function.__code__)
        yield function.__defaults__
        yield function.__kwdefaults__
        for cell in function.__closure__ or ():
            with contextlib.suppress(ValueError):  # an empty cell
                if not _is_own_class(cell.cell_contents, function):
                    yield cell.cell_contents


def _is_own_class(held: object, function: FunctionType) -> bool:
    """Is a cell what `super()` without arguments needs?"""
    return isinstance(held, type) and function.__qualname__.startswith(f"{held.__qualname__}.")
