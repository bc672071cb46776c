# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a device was found to be, where it is nothing but libraries: opening all takes 30 s of CPU.

A device that is compiled for, or the processor, is what its libraries make of it, and is opened
again when one of them, what they are told or our code has changed. One with hardware behind it is
opened each time, and so is one that could not be had, or that executed here before and no more.
Tests open what they use: what is kept of a device decides which tests are planned, and no outcome.
"""

import msgspec

from bringup.harness.builds.build_cache import Files, key_of
from bringup.harness.builds.code import code
from bringup.harness.devices import device_history
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.toolchain import toolchain_of
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.verdicts.recheck import Recheck
from bringup.harness.session import current
from bringup.harness.storage.decoding import UNDECODABLE


class ListingCache:
    """Devices as they were found, for as long as nothing behind them changes."""

    def get(self, name: str) -> ListedDevice | None:
        """What a device is; None where it has to be opened."""
        key = self._key(name)
        if key is None or not Recheck.from_environment("").takes_hits:
            return None
        content = current().get(Files).get(key)
        try:
            found = msgspec.json.decode(content, type=ListedDevice) if content else None
        except UNDECODABLE:
            return None
        if found is None or found.name != name:
            return None
        compiles = found.state is DeviceState.COMPILES
        return None if compiles and device_history.executed_before(name) else found

    def put(self, listed: ListedDevice) -> None:
        """Keep what was found, unless that may be otherwise the next time."""
        key = self._key(listed.name)
        if key is not None and listed.state is not DeviceState.MISSING and listed.capacity is None:
            current().get(Files).put(key, msgspec.json.encode(listed))

    def _key(self, name: str) -> str | None:
        kind = kind_of(name)
        toolchain = toolchain_of(name)
        if kind.exclusive() or not all(toolchain.libraries.values()):
            return None
        return key_of("listed", (name, kind.target(name), kind.flags, toolchain, code()))
