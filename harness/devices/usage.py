# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a piece of work cost this process: wall and CPU seconds, and peak resident memory."""

import contextlib
import os
import time
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")
_CLEAR_REFS = "/proc/self/clear_refs"
_STATUS = "/proc/self/status"
_STATUS_SIZE = 8192


class Meter:
    """Started by making it; `read()` gives (wall_s, cpu_s, peak_rss in bytes) since then.

    Linux keeps one peak per process and lets a process reset it (proc(5), clear_refs = 5), so
    meters nest badly: the inner one resets the outer one's peak.
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            _ask(_CLEAR_REFS, os.O_WRONLY, lambda file: os.write(file, b"5"))
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def read(self) -> tuple[float, float, int]:
        """Seconds, seconds, bytes."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu, peak_rss()


def peak_rss() -> int:
    """Bytes: this process's largest resident set since the last reset."""
    return _status_field(b"VmHWM:")


def current_rss() -> int:
    """Bytes: this process's resident set now."""
    return _status_field(b"VmRSS:")


def _status_field(name: bytes) -> int:
    """A field in kB as bytes; 0 where there is none. (`getrusage` may show another program's.)"""
    text = _ask(_STATUS, os.O_RDONLY, lambda file: os.read(file, _STATUS_SIZE))
    _, found, rest = text.partition(name)
    return int(rest.split(None, 1)[0]) * 1024 if found else 0


def _ask(path: str, mode: int, action: Callable[[int], _Result]) -> _Result:
    """Open, act, close: this runs twice for every stage of every op, and `Path` takes its time."""
    file = os.open(path, mode)
    try:
        return action(file)
    finally:
        os.close(file)
