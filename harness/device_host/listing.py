# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What this machine has, what it can only compile for, and why the rest is missing.

Every device is really opened, each in a host of its own, all at once.
"""

import enum
from concurrent.futures import ThreadPoolExecutor

import msgspec

from bringup.harness.device_host.client import Device
from bringup.harness.devices.catalog import installed_names, kind_of
from bringup.harness.devices.lease import capacity
from bringup.harness.errors import HarnessError


class State(enum.StrEnum):
    """What a device is good for on this machine."""

    EXECUTES = "executes"
    COMPILES = "compiles"
    MISSING = "missing"


class Listed(msgspec.Struct, frozen=True):
    """One device on this machine."""

    name: str
    state: State
    title: str
    detail: str
    """What it calls itself."""
    reason: str
    """Why it cannot execute, or is missing, in a sentence."""
    capacity: int | None
    """Processes at once; None for any number."""


def list_devices(names: list[str] | None = None) -> list[Listed]:
    """Open every known device, or the named ones, and say what came of it."""
    chosen = names or installed_names()
    with ThreadPoolExecutor(max_workers=len(chosen) or 1) as pool:
        return list(pool.map(_probe, chosen))


def _probe(name: str) -> Listed:
    title = kind_of(name).title
    device = Device(name)
    try:
        opened = device.open()
        executes = device.executes()
    except HarnessError as error:
        return Listed(name, State.MISSING, title, "", str(error), None)
    finally:
        device.close()
    state = State.EXECUTES if executes else State.COMPILES
    detail = f"{opened.count} x {opened.kind}"
    return Listed(name, state, title, detail, opened.note, capacity(name))
