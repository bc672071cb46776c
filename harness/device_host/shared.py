# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""This process's devices: one of a name, whose host serves test after test."""

from bringup.harness.device_host.client import Device

OPEN_HOSTS = 2
"""Hosts a process keeps: one to execute on, one to compile with."""
LARGE_HOST = 1 << 30
"""Bytes above which an idle host is ended: allocators keep what a large model needed."""
_devices: dict[str, Device] = {}


def device(name: str) -> Device:
    """This process's one `Device` of a name; its host serves test after test.

    The least recently used of too many hosts is ended, as is one that has grown large.
    """
    one = _devices.pop(name, None) or Device(name)
    _devices[name] = one
    for other in list(_devices.values())[:-OPEN_HOSTS]:
        other.close()
    return one


def close_large() -> None:
    """End hosts that hold much memory; the next test starts them again while it exports."""
    for one in _devices.values():
        if one.memory() > LARGE_HOST:
            one.close(wait=False)


def close_all() -> None:
    """End every host of this process."""
    for one in _devices.values():
        one.close(wait=False)
