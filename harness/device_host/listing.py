# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What this machine has, what it can only compile for, and why the rest is missing.

Every device is really opened, each in a host of its own, many at once. The hosts are forked off one
process that has imported what they need: two dozen that import it each for themselves take as many
seconds.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.fork_server import ForkServer
from bringup.harness.devices.catalog import installed_names, kind_of
from bringup.harness.devices.lease import capacity
from bringup.harness.errors import HarnessError
from bringup.harness.records.device_listing import DeviceState, ListedDevice

_AT_ONCE = 8
"""Devices that are opened at a time: each may take some hundred megabytes."""
_WORTH_A_SERVER = 6
_NEXT = 4
"""Devices that are looked at together where the first good ones will do."""


class Known(Protocol):
    """Devices that need not be opened, since it is known what comes of it."""

    def get(self, name: str) -> ListedDevice | None:
        """What a device is; None where it has to be opened."""
        ...

    def put(self, listed: ListedDevice) -> None:
        """Take note of one that was opened."""
        ...


def list_devices(names: list[str] | None = None, known: Known | None = None) -> list[ListedDevice]:
    """Open every known device, or the named ones, and say what came of it.

    What is `known` is not opened.
    """
    return _looked_at(names or installed_names(), known)


def first_devices(known: Known | None = None) -> list[ListedDevice]:
    """Open known devices in order, a few at once, until one executes here and one is only compiled
    for: those that were looked at, which are all where there are no such two."""
    names, found = installed_names(), list[ListedDevice]()
    wanted = {DeviceState.EXECUTES, DeviceState.COMPILES}
    while names and not wanted <= {one.state for one in found}:
        found += _looked_at(names[:_NEXT], known)
        del names[:_NEXT]
    return found


def _looked_at(chosen: Sequence[str], known: Known | None) -> list[ListedDevice]:
    found = {name: known.get(name) for name in chosen} if known is not None else {}
    opened: dict[str, ListedDevice] = {}
    for listed in _opened([name for name in chosen if found.get(name) is None]):
        opened[listed.name] = listed
        if known is not None:  # at once: whoever asked may lose patience before the last
            known.put(listed)
    return [found.get(name) or opened[name] for name in chosen]


def _opened(chosen: Sequence[str]) -> Iterator[ListedDevice]:
    server = _server_for(chosen)
    try:
        with ThreadPoolExecutor(max_workers=min(len(chosen), _AT_ONCE) or 1) as pool:
            asked = [pool.submit(_probe, name, server) for name in chosen]
            yield from (done.result() for done in as_completed(asked))
    finally:
        if server is not None:
            server.close()


def _server_for(names: Sequence[str]) -> ForkServer | None:
    """A process with all that the hosts import; None where a few are quicker alone."""
    if len(names) < _WORTH_A_SERVER:
        return None
    wanted = dict.fromkeys(module for name in names for module in kind_of(name).preload)
    return ForkServer(tuple(wanted))


def _probe(name: str, server: ForkServer | None) -> ListedDevice:
    title = kind_of(name).title
    device = Device(name, fork_server=server)
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
