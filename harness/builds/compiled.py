# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a device's compiler made of an artifact: its levels, what it said of it, and the program.

That is a function of the artifact, of what it is compiled for, of the compiler and of what that is
told. Of a device that only compiles here levels and words are all there is. Of the processor the
program is kept too, by its model and instruction sets and by how many cores there are; it is
loaded, executed and compared each time. A device with hardware behind it compiles each time, since
what else its binaries depend on (its firmware, a driver's state) is in no key. So does whatever a
compiler refused, since a refusal may be the machine's (a header that was not unpacked whole), and
looks like any other.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Self

import msgspec

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.builds.code import code, cores
from bringup.harness.builds.opened_before import OpenedBefore
from bringup.harness.device_host.client import Binary
from bringup.harness.devices.catalog import kind_of
from bringup.harness.devices.toolchain import toolchain_of
from bringup.harness.devices.wire import Analysis, Compiled, Level, Opened, Placed, Usage
from bringup.harness.errors import RecordError
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.values import RECHECKED

_LARGEST_PROGRAM = 128 << 20
"""Bytes above which a program is not kept."""


class CompiledBefore(msgspec.Struct, frozen=True):
    """What a compilation came to."""

    levels: tuple[Level, ...]
    analysis: Analysis
    binary: bytes
    """The program, of a device that runs it; else empty."""
    run: str
    """The id of the run that compiled."""
    computed: float
    """When, in seconds since the epoch."""

    @classmethod
    def of(
        cls, levels: tuple[Level, ...], analysis: Analysis, run: str, binary: bytes = b""
    ) -> Self:
        """What a compiler just said of a program that it took."""
        return cls(levels, analysis, binary, run, time.time())

    def as_compiled(self) -> Compiled:
        """What its device host answered, but for the program's number, as it is in no host."""
        return Compiled(0, self.levels, Usage(0.0, 0.0, 0), self.binary, self.analysis)

    def disagreement(self, now: "CompiledBefore") -> str:
        """A sentence where a compilation of the same came to something else; else empty.

        IR texts are not compared: compilers name values as they come.
        """
        for what, old, new in (
            ("levels", _names(self.levels), _names(now.levels)),
            ("analysis", self.analysis, now.analysis),
        ):
            if old != new:
                return (
                    f"the {what} kept of run {self.run} is {old or 'none'}, compiled again it is"
                    f" {new or 'none'}; what was kept is replaced"
                )
        return ""


def _names(levels: tuple[Level, ...]) -> str:
    return ", ".join(level.name for level in levels)


def compile_key(
    artifact: bytes,
    device: str,
    opened: Opened,
    options: Mapping[str, str],
    placed: Placed | None,
) -> str:
    """The key of a compilation: all that it depends on.

    Raises:
        RecordError: a library that compiles cannot be read, so that nobody knows what it does.
    """
    found, toolchain = kind_of(device), toolchain_of(device)
    if not all(toolchain.libraries.values()):
        raise RecordError(f"a library of {device} cannot be read")
    return key_of(
        "compiled",
        (
            hashlib.sha256(artifact).hexdigest(),
            (device, found.target(device), found.flags, dict(options), placed),
            (opened.platform, opened.kind, opened.chips, opened.stablehlo_version),
            toolchain,
            code(),
            cores() if opened.executes else (),
        ),
    )


class CachedCompilation:
    """The place of one compilation among those that are kept."""

    def __init__(
        self,
        artifact: bytes,
        device: str,
        options: Mapping[str, str],
        placed: Placed | None,
        recorder: TestRecorder,
    ) -> None:
        self._asked = artifact, device, options, placed
        self._recorder = recorder
        self._builds = BuildCache(recorder)
        self._devices = OpenedBefore(self._builds)
        self._key = ""
        self._before: CompiledBefore | None = None

    def unopened(self) -> tuple[Opened, CompiledBefore] | None:
        """What was kept, and of which device, where none has to be opened to know it."""
        opened = self._devices.get(self._asked[1])
        before = self.take(opened) if opened is not None else None
        return (opened, before) if opened is not None and before is not None else None

    def take(self, opened: Opened) -> CompiledBefore | None:
        """What was kept for a device that said this of itself; None: it is to be compiled."""
        artifact, device, options, placed = self._asked
        try:
            self._key = compile_key(artifact, device, opened, options, placed)
        except (RecordError, TypeError):
            return None
        self._before = before = self._builds.get(self._key, CompiledBefore)
        runs = before is not None and (before.binary or not opened.executes)
        return before if runs and not self._builds.audits(self._key) else None

    def audited(self) -> dict[str, str]:
        """What is said of a stage that compiles although it is kept."""
        return {RECHECKED: self._before.run} if self._before is not None else {}

    def forget(self) -> None:
        """Have nothing kept while a compiler is at it: what it refuses now is no hit later."""
        if self._key:
            self._builds.forget(self._key)

    def keep(self, opened: Opened, binary: Binary) -> None:
        """Keep what a device that said this of itself compiled; another than was kept is said."""
        program = binary.serialized if opened.executes else b""
        if not self._key or len(program) > _LARGEST_PROGRAM or (opened.executes and not program):
            return
        device, run = self._asked[1], self._recorder.run.run_id
        now = CompiledBefore.of(binary.levels, binary.analysis, run, program)
        self._builds.put(self._key, now)
        self._devices.put(device, opened)
        if self._before is not None and (said := self._before.disagreement(now)):
            self._recorder.warn(f"{device}: {said}")
