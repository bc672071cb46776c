# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Python objects as they were: shallow copies of what each holds, and putting that back.

An object is written to in place, so that whoever else refers to it sees the same; identity is
what is compared, so that an object nothing changed is not touched.
"""

import operator
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from types import CellType
from typing import Any

import numpy as np

from bringup.harness.reach import filled, slots

LARGEST_ARRAY = 16 << 20
"""Bytes of a numpy array up to which its contents are kept."""

Restore = Callable[[], None]


def kept(value: object) -> list[Restore]:
    """Remember what an object holds now; calling the results puts it back."""
    restores: list[Restore] = []
    if isinstance(value, dict):
        restores.append(_dict(value))
    elif isinstance(value, list):
        restores.append(_list(value))
    elif isinstance(value, set):
        restores.append(_set(value))
    elif isinstance(value, deque):
        restores.append(_deque(value))
    elif isinstance(value, bytearray):
        restores.append(_bytearray(value))
    elif isinstance(value, CellType):
        restores.append(_cell(value))
    elif isinstance(value, np.ndarray) and value.nbytes <= LARGEST_ARRAY:
        restores.append(_array(value))
    held = [] if isinstance(value, tuple) else slots(value)
    return [*restores, _slots(value, held)] if held else restores


def _same(one: Collection[object], other: Collection[object]) -> bool:
    return len(one) == len(other) and all(map(operator.is_, one, other))


def _dict(value: dict[Any, Any]) -> Restore:
    keys, items = [*dict.keys(value)], [*dict.values(value)]

    def restore() -> None:
        if _same(dict.values(value), items) and _same(dict.keys(value), keys):
            return
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        kind.clear(value)
        for key, item in zip(keys, items, strict=True):
            kind.__setitem__(value, key, item)

    return restore


def _list(value: list[Any]) -> Restore:
    before = list.copy(value)

    def restore() -> None:
        if not _same(value, before):
            list.__setitem__(value, slice(None), before)

    return restore


def _set(value: set[Any]) -> Restore:
    before = set(value)

    def restore() -> None:
        if value != before:
            set.clear(value)
            set.update(value, before)

    return restore


def _deque(value: deque[Any]) -> Restore:
    before = list(value)

    def restore() -> None:
        if not _same(value, before):
            value.clear()
            value.extend(before)

    return restore


def _bytearray(value: bytearray) -> Restore:
    before = bytes(value)

    def restore() -> None:
        value[:] = before

    return restore


def _cell(value: CellType) -> Restore:
    before = filled(value)

    def restore() -> None:
        if not _same(filled(value), before):
            if before:
                value.cell_contents = before[0]
            else:
                del value.cell_contents

    return restore


def _array(value: "np.ndarray[Any, Any]") -> Restore:
    before = value.copy()

    def restore() -> None:
        if value.flags.writeable:
            value[...] = before

    return restore


def _slots(value: object, before: list[tuple[str, object]]) -> Restore:
    def restore() -> None:
        for name, held in before:
            if getattr(value, name, None) is not held:
                object.__setattr__(value, name, held)

    return restore
