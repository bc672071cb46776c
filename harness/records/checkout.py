# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which test files are this checkout's own, so that a name out of a record may be run.

A plan and a reproducer name tests, and may have come from anywhere, with files beside them. What
they name is run only where it is a file of the checkout: tracked by git or below `tests`, and
neither in a run directory nor reached over a link.
"""

import re
import subprocess
from pathlib import Path, PurePosixPath

from bringup.harness.errors import UsageError
from bringup.harness.records.journal import JOURNAL_FOLDER
from bringup.harness.records.reproducible import EXPECTED, REPRO_FOLDER, RESULTS
from bringup.harness.records.run_dir import (
    HEADER_NAME,
    PLAIN_RECORDS_NAME,
    RECORDS_NAME,
    plan_files,
)
from bringup.harness.storage.writable import writable

TESTS = "tests"
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SHOWN = 200


def refuse_foreign_test(test: str, root: Path, where: object) -> None:
    """Refuse a pytest id that is no test of the checkout at `root`; `where` is who names it.

    Raises:
        UsageError: its file is elsewhere, or it is no id and pytest would take it for an option.
    """
    file = test.partition("[")[0].partition("::")[0]  # as pytest takes an argument apart
    why = "" if "::" in test.partition("[")[0] else "it is no pytest id"
    why = why or _why_foreign(file, root)
    if not why and not (root / file).is_file():
        why = "there is no such file"
    if not why and not _TEST_FILE.fullmatch(PurePosixPath(file).name):
        why = "it is no file of tests"
    if why:
        raise UsageError(_refusal(where, "the test", test, why))


def refuse_foreign_folder(folder: str, root: Path, where: object) -> None:
    """Refuse a folder, or a file, of tests that is none of the checkout's.

    Raises:
        UsageError: it lies elsewhere, or is none.
    """
    why = _why_foreign(folder, root)
    if why:
        raise UsageError(_refusal(where, "the tests in", folder, why))


def _refusal(where: object, what: str, name: str, why: str) -> str:
    shown = writable(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")
    return f"{writable(str(where))} names {what} {shown!r}, which is not of this checkout: {why}"


def _why_foreign(name: str, root: Path) -> str:
    """Why a path, relative to the root, is not the checkout's own; empty when it is."""
    path = PurePosixPath(name)
    if not name or name.startswith(("-", "@")) or _CONTROL.search(name) or len(name) > 1000:
        return "it is no path"
    if path.is_absolute() or ".." in path.parts or "~" in path.parts[0]:
        return "its path leads out of it"
    place = root
    for part in path.parts:
        place = place / part
        if place.is_symlink():
            return f"{part} is a link"
        if _is_run(place):
            return f"{part} is the folder of a run"
    if not place.exists():
        return "there is no such file"
    if path.parts[:1] == (RESULTS,):
        return f"{RESULTS} holds what runs wrote"
    if path.parts[:1] != (TESTS,) and not _tracked(name, root):
        return f"git does not track it, and it is not below {TESTS}"
    return ""


def _is_run(place: Path) -> bool:
    marks = (HEADER_NAME, RECORDS_NAME, PLAIN_RECORDS_NAME, EXPECTED)
    folders = (JOURNAL_FOLDER, REPRO_FOLDER)
    return (
        any((place / mark).exists() for mark in marks)
        or any((place / folder).is_dir() for folder in folders)
        or (place.is_dir() and bool(plan_files(place)))
    )


def _tracked(name: str, root: Path) -> bool:
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", name]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
