# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which release of a compiler a failure came with: `repro KEY --versions jaxlib`.

Each release that is asked is put into a folder of its own, over the environment: only the compiler
is another one, the reproducer and whoever judges it are the same. The folder is gone before the
next release is asked. A failure that is there at times only counts as there, so what is installed
is run first, several times, and the others as often as it takes to see such a failure.
"""

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
from packaging.version import Version

from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import FileError, StorageError
from bringup.harness.records.schema import GOOD
from bringup.harness.records.variable_names import PYTHONPATH_VARIABLE
from bringup.harness.reduce.releases import Asked, asked_for, install, installed, released
from bringup.harness.reduce.version_probe import RunSaid
from bringup.harness.reduce.version_search import Boundary, Probed, Says, most_probes, search
from bringup.harness.reproduce.reproducer import Expected
from bringup.harness.storage.scratch import Scratch

_FIRST_RUNS = 3
"""Times that what is installed is run."""
_RUNS = 2
"""Times that a release is run where the failure is always there."""
_MOST_RUNS = 10
_MISSED = 0.02
"""The chance to miss a failure that is there at times only."""
_ROOM = 2 << 30
"""Bytes that a release takes at most, downloaded and unpacked."""
_START_S = 120.0


class VersionBlame:
    """One search for one reproducer of an op."""

    def __init__(
        self,
        folder: Path,
        expected: Expected,
        asked: Asked,
        *,
        trust: bool,
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._expected, self._trust = folder.absolute(), expected, trust
        self._compiler, self._asked, self._say = asked.compiler, asked, say
        self._runs = _RUNS
        self._here: Probed | None = None

    def run(self) -> tuple[bool, str]:
        """Whether a release was found, and a sentence.

        Raises:
            UsageError: it is not installed, or there is one release at most.
            FileError: nobody can say which there are.
            StorageError: the disk has no room for one.
        """
        name = self._compiler.name
        here = installed(name)
        versions = released(self._asked)
        self._say(f"{len(versions)} releases of {name}, {versions[0]} to {versions[-1]}")
        self._here = self._probed(here, None, _FIRST_RUNS)
        if self._here.says is not Says.BAD:
            return False, (
                f"With {name} {here}, which is installed, it does not end as expected"
                f" ({self._here.why}): there is nothing to look for."
            )
        place = versions.index(here)
        older, newer = versions[: place + 1], versions[place:]
        found = Boundary(())
        for some, what in ((older, "came with"), (newer, "went with")):  # else it is there for good
            if len(some) < 2:
                continue
            self._say(f"which of {some[0]} to {some[-1]} it {what}: {most_probes(len(some))} tries")
            further = search(some, self.probe)
            found = replace(further, probes=(*found.probes, *further.probes))
            if found.before is not None:
                break
        return found.before is not None, self._told(found, len(versions))

    def probe(self, version: str) -> Probed:
        """Ask one release."""
        if self._here is not None and version == self._here.version:
            return self._here
        with Scratch("release") as scratch:
            if shutil.disk_usage(scratch.path).free < _ROOM:
                raise StorageError(
                    f"{tempfile.gettempdir()} has less than {_ROOM >> 30} GiB free, which a"
                    " release takes; TMPDIR names another place"
                )
            try:
                packages = install(self._compiler, version, scratch.path)
            except FileError as error:
                return self._noted(Probed(version, Says.NOTHING, f"not to be had: {error}"), 0.0)
            return self._probed(version, packages, self._runs)

    def _probed(self, version: str, packages: Path | None, times: int) -> Probed:
        began = time.monotonic()
        runs = self._run_with(packages, times)
        wrong = [run for run in runs if run.version != version]
        if wrong:
            why = f"{wrong[0].version} ran in its place"
            return self._noted(Probed(version, Says.NOTHING, why), began)
        bad = [run for run in runs if run.same]
        other = [run for run in runs if not run.same and run.outcome not in GOOD]
        if bad:
            if packages is None and len(bad) < len(runs):  # there at times only: look longer
                often = len(bad) / len(runs)
                needed = math.ceil(math.log(_MISSED) / math.log(1 - often))
                self._runs = min(max(needed, _RUNS), _MOST_RUNS)
            flaky = len(bad) < len(runs)
            times_bad = f"{len(bad)} of {len(runs)} times " if flaky else ""
            end = self._expected.outcome.value
            return self._noted(Probed(version, Says.BAD, f"{times_bad}{end}", flaky), began)
        if other or len(runs) < times:
            why = other[0].why if other else "the process died"
            ended = other[0].outcome.value + ": " if other and other[0].outcome else ""
            return self._noted(Probed(version, Says.NOTHING, f"{ended}{why}"), began)
        assert runs[0].outcome is not None
        return self._noted(Probed(version, Says.GOOD, runs[0].outcome.value), began)

    def _run_with(self, packages: Path | None, times: int) -> list[RunSaid]:
        """How the reproducer ended, each time, with a folder first on Python's path."""
        path = [os.fspath(packages)] if packages else []
        given = os.pathsep.join([*path, *filter(None, sys.path)])
        reading, writing = os.pipe()
        words = [str(writing), os.fspath(self._folder), self._compiler.name, str(times)]
        command = [sys.executable, "-P", "-m", "bringup.harness.reduce.version_probe", *words]
        try:
            process = subprocess.Popen(
                [*command, "1" if self._trust else "0"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {PYTHONPATH_VARIABLE: given},
                pass_fds=[writing],
            )
        finally:
            os.close(writing)
        try:
            with os.fdopen(reading, "rb") as pipe:
                process.wait(_START_S + times * (self._expected.deadline_s + _START_S))
                return [msgspec.json.decode(line, type=RunSaid) for line in pipe]
        except subprocess.TimeoutExpired:
            return []
        finally:
            process.kill()
            process.wait()

    def _noted(self, probed: Probed, began: float) -> Probed:
        took = f", {time.monotonic() - began:.0f} s" if began else ""
        says = "says nothing" if probed.says is Says.NOTHING else probed.says.value
        self._say(f"{self._compiler.name} {probed.version}: {says} ({probed.why}{took})")
        return probed

    def _told(self, found: Boundary, versions: int) -> str:
        name = self._compiler.name
        tried = f"{len({one.version for one in found.probes})} of {versions} tried"
        before, after = found.before, found.after
        if before is None or after is None:
            spoke = [one.version for one in found.probes if one.says is not Says.NOTHING]
            first, last = min(spoke, key=Version), max(spoke, key=Version)
            unasked = [one.version for one in found.probes if one.says is Says.NOTHING]
            older = f"; {', '.join(unasked)} could not be asked" if unasked else ""
            return (
                f"No release of {name} that was tried differs: it ends so from {first} to"
                f" {last}{older} ({tried})."
            )
        flaky = " at times" if before.flaky or after.flaky else ""
        is_bad = after.says is Says.BAD
        first = "The first bad release is" if is_bad else "The first release without it is"
        ends = f"with {before.version} it ends {before.why}, with {after.version} {after.why}"
        silent = ", ".join(found.between)
        beside = f"; {silent} in between could not be asked" if silent else ""
        return f"{first} {name} {after.version}{flaky}: {ends}{beside} ({tried})."


def name_the_version(
    folder: Path, expected: Expected, text: str, *, trust: bool, say: Callable[[str], None]
) -> tuple[bool, str]:
    """Look for the release that a reproducer's failure came with; `text` is as `asked_for` reads.

    Returns whether one was found, and a sentence.

    Raises:
        HarnessError: as `asked_for` and `VersionBlame.run` do.
    """
    return VersionBlame(
        folder, expected, asked_for(text, kind_of(expected.device)), trust=trust, say=say
    ).run()
