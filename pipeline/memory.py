# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Memory of this machine or container: how much is left, and whom the kernel killed for it.

Sources: proc_vmstat `oom_kill`; cgroup v2 `memory.events`, `memory.max`, `memory.current`
(Linux Documentation/admin-guide/cgroup-v2.rst).
"""

import time
from pathlib import Path

import psutil

_RECENT_S = 10.0


def cgroup_folder() -> Path | None:
    """This process's cgroup v2 folder; None without one, or at the root, which has no limits."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("0::/"):
            folder = Path("/sys/fs/cgroup") / line[4:].lstrip("/")
            return folder if (folder / "memory.events").exists() else None
    return None


def available() -> int:
    """Bytes that can be taken now, under the container's limit too."""
    free: int = psutil.virtual_memory().available
    folder = cgroup_folder()
    if folder is None:
        return free
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if limit == "max" else max(min(free, int(limit) - used), 0)


class MemoryKills:
    """Watches the kernel's count of processes killed for memory."""

    def __init__(self) -> None:
        self._count = _oom_kills()
        self._rise = 0
        self._rose_at = float("-inf")

    def recent(self) -> int:
        """Kills in the last few seconds; call when a worker was found dead."""
        now, count = time.monotonic(), _oom_kills()
        if count > self._count:
            fresh = now - self._rose_at > _RECENT_S
            self._rise = (0 if fresh else self._rise) + count - self._count
            self._count, self._rose_at = count, now
        return self._rise if now - self._rose_at <= _RECENT_S else 0


def _oom_kills() -> int:
    folder = cgroup_folder()
    path = folder / "memory.events" if folder else Path("/proc/vmstat")
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(n[9:]) for n in lines if n.startswith("oom_kill ")), 0)
