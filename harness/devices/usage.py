# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a piece of work cost this process: wall and CPU seconds, and peak resident memory."""

import contextlib
import os
import time
from functools import lru_cache


class Meter:
    """Started by making it; `read()` gives (wall_s, cpu_s, peak_rss in bytes) since then.

    Linux keeps one peak per process and lets a process reset it (proc(5), clear_refs = 5), so
    meters nest badly: the inner one resets the outer one's peak.
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(_opened("clear_refs", os.O_WRONLY, os.getpid()), b"5", 0)
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
    text = os.pread(_opened("status", os.O_RDONLY, os.getpid()), 1 << 14, 0)
    _, _, rest = text.partition(name)
    return int(rest.split(maxsplit=1)[0]) * 1024 if rest else 0


@lru_cache(maxsize=4)
def _opened(name: str, flags: int, pid: int) -> int:
    """A file of this process, opened once; a process forked from it opens its own."""
    return os.open(f"/proc/{pid}/{name}", flags)
