# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a piece of work cost this process: wall and CPU seconds, and peak resident memory."""

import contextlib
import time
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


class Meter:
    """Started by making it; `read()` gives (wall_s, cpu_s, peak_rss in bytes) since then.

    Linux keeps one peak per process and lets a process reset it (proc(5), clear_refs = 5), so
    meters nest badly: the inner one resets the outer one's peak.
    """

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            _CLEAR_REFS.write_text("5")
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def read(self) -> tuple[float, float, int]:
        """Seconds, seconds, bytes."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu, peak_rss()


def peak_rss() -> int:
    """Bytes: this process's largest resident set since the last reset."""
    return _status_field("VmHWM:")


def current_rss() -> int:
    """Bytes: this process's resident set now."""
    return _status_field("VmRSS:")


def _status_field(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0
