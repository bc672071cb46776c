# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What never came as far as a device ends alike on all of them, and is to be told once.

A model that cannot be loaded, exported or lowered says the same on two dozen devices.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

import msgspec

from bringup.harness.records.schema import Stage, TestRecord

T = TypeVar("T")
_WITHOUT_DEVICE = tuple(Stage)[: list(Stage).index(Stage.COMPILE)]
WORTH_IT = 3
"""Devices from which on one line stands for all of them."""


def end_before_devices(record: TestRecord | None) -> Hashable:
    """Equal for records of one test on several devices that ended alike before their device.

    None where the device had its part in it, or nothing failed.
    """
    failure = record.failure if record else None
    if record is None or failure is None or failure.stage not in _WITHOUT_DEVICE:
        return None
    test = msgspec.structs.replace(record.identity, device="")
    return test, record.outcome, record.status, failure.message


def together(found: Iterable[T], end: Callable[[T], Hashable]) -> list[list[T]]:
    """In their order, those of one end in the place of the first; the others, and few, alone."""
    groups: dict[Hashable, list[T]] = {}
    for place, one in enumerate(found):
        common = end(one)
        groups.setdefault(place if common is None else (common,), []).append(one)
    return [
        part
        for group in groups.values()
        for part in ([group] if len(group) >= WORTH_IT else [[one] for one in group])
    ]
