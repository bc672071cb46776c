# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Leases: a real device serves one process at a time, on the whole machine.

A lease is a lock that all users of the machine share; the kernel drops it when its holder dies,
however it dies. Devices that live in memory (CPU, compile-only) need none.
"""

import contextlib
from collections.abc import Iterator

from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.machine_lock import machine_lock


def capacity(name: str) -> int | None:
    """How many processes may use the device at once; None for as many as like."""
    return 1 if kind_of(name).exclusive() else None


@contextlib.contextmanager
def lease(name: str) -> Iterator[None]:
    """Hold the device; waits until whoever holds it, of whatever user, is done or dead.

    Raises:
        DeviceError: it cannot be leased.
    """
    if capacity(name) is None:
        yield
        return
    with machine_lock(kind_of(name).lease or name):
        yield
