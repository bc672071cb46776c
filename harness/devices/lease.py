# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Leases: a real device serves one process at a time, on the whole machine.

A lease is an exclusive lock on a file named after the device; the kernel drops it when its holder
dies, however it dies. Devices that live in memory (CPU, compile-only) need none.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from harness.devices.catalog import kind_of

LEASE_FOLDER = Path(tempfile.gettempdir()) / "bringup-leases"


def capacity(name: str) -> int | None:
    """How many processes may use the device at once; None for as many as like."""
    return 1 if kind_of(name).exclusive() else None


@contextlib.contextmanager
def lease(name: str) -> Iterator[None]:
    """Hold the device; waits until whoever holds it is done or dead."""
    if capacity(name) is None:
        yield
        return
    LEASE_FOLDER.mkdir(exist_ok=True)
    family = kind_of(name).lease or name
    with FileLock(LEASE_FOLDER / f"{family.replace(':', '-')}.lock"):
        yield
