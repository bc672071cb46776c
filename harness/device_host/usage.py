# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a piece of work cost this process: wall and CPU seconds, and peak resident memory."""

import contextlib
import os
import resource
import time
from functools import lru_cache

_SLACK = 1 << 20
"""Bytes by which the kernel's two ways of counting differ."""


class Meter:
    """Started by making it; `read()` gives (wall_s, cpu_s, peak_rss in bytes) since then.

    Linux keeps one peak per process and lets a process reset it (proc(5), clear_refs = 5), so
    meters nest badly: the inner one resets the outer one's peak.
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(_opened("clear_refs", os.O_WRONLY, os.getpid()), b"5", 0)
        _rusage_is_ours(os.getpid())  # found out while this process is small
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def read(self) -> tuple[float, float, int]:
        """Seconds, seconds, bytes."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu, peak_rss()


def peak_rss() -> int:
    """Bytes: this process's largest resident set since the last reset."""
    return _rusage() if _rusage_is_ours(os.getpid()) else _status_field(b"VmHWM:")


def _rusage() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@lru_cache(maxsize=1)
def _rusage_is_ours(pid: int) -> bool:
    """Does getrusage(2) know nothing larger than proc(5), which takes it 60 times as long to say?

    In a process that was forked and then executed another program, it may: the peak of the one
    that forked it, for good.
    """
    return _rusage() <= _status_field(b"VmHWM:") + _SLACK


def _status_field(name: bytes) -> int:
    text = os.pread(_opened("status", os.O_RDONLY, os.getpid()), 1 << 14, 0)
    _, _, rest = text.partition(name)
    return int(rest.split(maxsplit=1)[0]) * 1024 if rest else 0


@lru_cache(maxsize=4)
def _opened(name: str, flags: int, pid: int) -> int:
    """A file of this process, opened once; a process forked from it opens its own."""
    return os.open(f"/proc/{pid}/{name}", flags)
