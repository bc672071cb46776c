# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What test files read while they are collected: a folder of models that tests are made of, say.

Python tells an audit hook of every file that is opened and every folder that is listed
(`sys.addaudithook`, PEP 578). What counts is what code of the tests asks for, itself or through a
library; what the import system, pytest and the libraries read of themselves is not of the tests. A
file that is only asked whether it is there is in no event.
"""

import contextlib
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

_EVENTS = frozenset({"open", "os.listdir", "os.scandir"})
_OURS = Path(__file__).resolve().parents[2]
_OUR_ROOMS = ("bringup", "harness", "pipeline", "reports")


class ReadElsewhere:
    """The files and folders that were read; a process watches to its end."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        installed = installed_folders()
        ours = (f"{_OURS / room}{os.sep}" for room in _OUR_ROOMS)
        self._not_theirs = (*installed, *ours, "<frozen ")
        self._skipped = (*installed, "/proc/", "/sys/", "/dev/")

    def watch(self) -> None:
        """Begin, for as long as this process lives."""
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: Sequence[Any]) -> None:
        if event not in _EVENTS or not _reads(event, arguments):
            return
        if self._is_theirs(sys._getframe(1)):
            with contextlib.suppress(TypeError, ValueError):  # the call itself says what is wrong
                named = os.fsdecode(arguments[0]) if arguments[0] else "."
                path = os.path.abspath(named)  # noqa: PTH100 - links are kept
                if not path.startswith(self._skipped):
                    self.paths.add(path)

    def _is_theirs(self, frame: FrameType | None) -> bool:
        """Does code of the tests ask, with no import between it and the question?"""
        while frame is not None:
            file = frame.f_code.co_filename
            if "importlib" in file:
                return False
            if file.endswith(".py") and not file.startswith(self._not_theirs):
                return True
            frame = frame.f_back
        return False


def installed_folders() -> tuple[str, ...]:
    """Where Python and distributions lie, each with a separator at its end."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = {path for name in names if (path := sysconfig.get_path(name))}
    both = {*found, *(str(Path(path).resolve()) for path in found)}
    return tuple(sorted(f"{path}{os.sep}" for path in both))


def _reads(event: str, arguments: Sequence[Any]) -> bool:
    if isinstance(arguments[0], int):  # an open file
        return False
    if event != "open":
        return True
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY
