# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The machine: Python, memory, disk, the cache's folder, git."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bringup.command.checks.check_result import CheckResult, Level

_GIB = 1 << 30
_MEMORY_GIB = 4.0
"""What one test of a model of ordinary size takes, with its compiler."""
_DISK_GIB = 1.0
_PYTHON = ((3, 11), (3, 13))
"""The oldest and the newest that every suite was run with."""


def python_version() -> Iterator[CheckResult]:
    """Which Python this is, and whether it is one of those that are tested."""
    here = f"{sys.version_info.major}.{sys.version_info.minor} ({sys.executable})"
    oldest, newest = (".".join(map(str, version)) for version in _PYTHON)
    if sys.version_info[:2] < _PYTHON[0]:
        yield CheckResult(
            Level.MISSING, "Python", f"{here} is too old", f"install Python {oldest} to {newest}"
        )
    elif sys.version_info[:2] > _PYTHON[1]:
        yield CheckResult(Level.ABSENT, "Python", f"{here} is newer than what is tested, {newest}")
    else:
        yield CheckResult(Level.FINE, "Python", here)


def memory() -> Iterator[CheckResult]:
    """How much memory a run may take here."""
    import psutil

    free = psutil.virtual_memory().available / _GIB
    few = free < _MEMORY_GIB
    remedy = "models of ordinary size may be killed; end other programs" if few else ""
    yield CheckResult(Level(few), "memory", f"{free:.1f} GiB free", remedy)


def disk() -> Iterator[CheckResult]:
    """Whether results can be written in the working directory, and how much."""
    here = Path.cwd()
    free = shutil.disk_usage(here).free / _GIB
    if not os.access(here, os.W_OK):
        yield CheckResult(
            Level.MISSING, "disk", f"{here} cannot be written to", "start in a folder of yours"
        )
    elif free < _DISK_GIB:
        yield CheckResult(
            Level.MISSING,
            "disk",
            f"{free:.1f} GiB free in {here}",
            f"{_DISK_GIB:.0f} GiB is needed",
        )
    else:
        yield CheckResult(Level.FINE, "disk", f"{free:.1f} GiB free in {here}")


def cache_folder() -> Iterator[CheckResult]:
    """Whether verdicts on ops can be kept."""
    from bringup.harness.records.verdicts.cache import default_path
    from bringup.harness.storage.presence import is_folder, is_there

    path = default_path()
    folder = path if is_folder(path) else path.parent
    there = next((p for p in (folder, *folder.parents) if is_there(p)), Path("/"))
    if is_folder(there) and os.access(there, os.W_OK):
        yield CheckResult(Level.FINE, "cache", f"{path} can be written to")
    else:
        remedy = "set BRINGUP_CACHE to a folder of yours"
        yield CheckResult(Level.ABSENT, "cache", f"{path} cannot be written to", remedy)


def git() -> Iterator[CheckResult]:
    """Whether git is here."""
    if found := shutil.which("git"):
        yield CheckResult(Level.FINE, "git", found)
    else:
        says = "is not here: records do not say of which commit they are"
        yield CheckResult(Level.ABSENT, "git", says, "install git")
