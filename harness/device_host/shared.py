# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A session's devices: one of a name, whose host serves test after test."""

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.connection import HostProcess
from bringup.harness.session import current

OPEN_HOSTS = 2
"""Hosts a session keeps: one to execute on, one to compile with."""
LARGE_HOST = 1 << 30
"""Bytes above which an idle host is ended: allocators keep what a large model needed."""


class Devices:
    """The devices of a session, the one used last at the end."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        self._dying: list[HostProcess] = []
        """Hosts that were killed and not yet waited for: a large one takes long to free its
        memory, and until it is waited for, its entry in the process table stays."""

    def device(self, name: str) -> Device:
        """The one `Device` of a name. The least recently used of too many hosts is ended."""
        one = self._devices.pop(name, None) or Device(name)
        self._devices[name] = one
        for other in list(self._devices.values())[:-OPEN_HOSTS]:
            other.close()
        return one

    def close_large(self) -> None:
        """End hosts that hold much memory; the next test starts them again while it exports."""
        for one in self._devices.values():
            if one.memory() > LARGE_HOST:
                self._kill(one)

    def close(self) -> None:
        """End every host, without waiting for the memory they free."""
        for one in self._devices.values():
            self._kill(one)

    def _kill(self, one: Device) -> None:
        killed = one.kill()
        added = [killed] if killed is not None else []
        self._dying = [host for host in (*self._dying, *added) if host.poll() is None]


def device(name: str) -> Device:
    """This session's one `Device` of a name; its host serves test after test."""
    return current().get(Devices).device(name)


def close_large() -> None:
    """End this session's hosts that hold much memory; of no device if it has none."""
    devices = current().find(Devices)
    if devices is not None:
        devices.close_large()
