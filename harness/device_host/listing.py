# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What this machine has, what it can only compile for, and why the rest is missing.

Every device is really opened, each in a host of its own, all at once.
"""

from concurrent.futures import ThreadPoolExecutor

from bringup.harness.device_host.client import Device
from bringup.harness.devices.catalog import installed_names, kind_of
from bringup.harness.devices.lease import capacity
from bringup.harness.errors import HarnessError
from bringup.harness.records.device_listing import DeviceState, ListedDevice


def list_devices(names: list[str] | None = None) -> list[ListedDevice]:
    """Open every known device, or the named ones, and say what came of it."""
    chosen = names or installed_names()
    with ThreadPoolExecutor(max_workers=len(chosen) or 1) as pool:
        return list(pool.map(_probe, chosen))


def _probe(name: str) -> ListedDevice:
    title = kind_of(name).title
    device = Device(name)
    try:
        opened = device.open()
        executes = device.executes()
    except HarnessError as error:
        return ListedDevice(name, DeviceState.MISSING, title, "", str(error), None)
    finally:
        device.close()
    state = DeviceState.EXECUTES if executes else DeviceState.COMPILES
    detail = f"{opened.count} x {opened.kind}"
    return ListedDevice(name, state, title, detail, opened.note, capacity(name))
