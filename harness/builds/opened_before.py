# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a device said when it was opened, where that is what its libraries make of it.

A device that only compiles here is opened to compile, and what it says of itself then is in the
key of the compilation. Where all else of that key is as it was, so is this: a compilation that is
kept can be found without opening the device, which takes seconds of processor time and, for a
plugin that unpacks its files anew whenever it is opened, the disk. What is not found opens it.

Kept under the libraries, what they are told, and our code, as `listing_cache` says. Never kept of a
device with hardware behind it, and never taken of one that executed here before, since that it only
compiles now is news.
"""

import msgspec

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.builds.code import code
from bringup.harness.devices import device_history
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.toolchain import toolchain_of
from bringup.harness.devices.wire import Opened, Usage
from bringup.harness.errors import RecordError
from bringup.harness.recording.recorder import TestRecorder


class _Before(msgspec.Struct, frozen=True):
    opened: Opened


class OpenedBefore:
    """Devices as they were when they were opened, for one test."""

    def __init__(self, builds: BuildCache) -> None:
        self._builds = builds

    def get(self, device: str) -> Opened | None:
        """What opening a device would say; None where it has to be opened."""
        key = _key(device)
        if key is None or self._builds.audits(key) or device_history.executed_before(device):
            return None
        before = self._builds.get(key, _Before)
        return before.opened if before is not None else None

    def put(self, device: str, opened: Opened) -> None:
        """Keep what one said that was just opened, unless that may be otherwise the next time."""
        key = None if opened.executes else _key(device)
        if key is not None:
            said = msgspec.structs.replace(opened, usage=Usage(0.0, 0.0, 0))
            self._builds.put(key, _Before(said))


def opened_before(device: str, recorder: TestRecorder) -> bool:
    """Is it known what opening a device would say?"""
    return OpenedBefore(BuildCache(recorder)).get(device) is not None


def _key(device: str) -> str | None:
    kind = kind_of(device)
    toolchain = toolchain_of(device)
    if kind.exclusive() or not all(toolchain.libraries.values()):
        return None
    try:
        return key_of("opened", (device, kind.target(device), kind.flags, toolchain, code()))
    except (RecordError, TypeError):
        return None
