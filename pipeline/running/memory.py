# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Memory of this machine or container: how much is left, and whom the kernel killed for it.

Sources: Linux Documentation/admin-guide/cgroup-v2.rst (`memory.max`, `memory.current`,
`memory.stat`, `memory.events`) and cgroup-v1/memory.rst (`memory.limit_in_bytes`,
`memory.usage_in_bytes`, `memory.stat`, `memory.oom_control`); outside both, `oom_kill` of
/proc/vmstat. Page cache that can be dropped (`inactive_file`) counts as free.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MEMORY_PER_WORKER = 4 * 1024**3
"""Bytes: the largest base models of the fleet peak below this."""
_RECENT_S = 10.0
_VMSTAT = Path("/proc/vmstat")


@dataclass(frozen=True)
class Cgroup:
    """The files of a memory control group, whichever version it is."""

    limit: Path
    used: Path
    stat: Path
    events: Path
    cache_name: str

    def free(self) -> int | None:
        """Bytes left below the limit; None without one."""
        limit = self.limit.read_text().strip()
        if limit == "max":
            return None
        cache = _field(self.stat, self.cache_name)
        return max(int(limit) - int(self.used.read_text()) + cache, 0)


def cgroup_of(listing: str, mounted: Path = Path("/sys/fs/cgroup")) -> Cgroup | None:
    """The memory cgroup that a process's /proc/PID/cgroup names; None when it has none."""
    for found in _candidates(listing, mounted):
        if found.limit.exists() and found.events.exists():
            return found
    return None


def _candidates(listing: str, mounted: Path) -> Iterator[Cgroup]:
    for line in listing.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            for folder in (mounted / "memory" / path.lstrip("/"), mounted / "memory"):
                yield Cgroup(
                    limit=folder / "memory.limit_in_bytes",
                    used=folder / "memory.usage_in_bytes",
                    stat=folder / "memory.stat",
                    events=folder / "memory.oom_control",
                    cache_name="total_inactive_file",
                )
        elif not controllers:
            folder = mounted / path.lstrip("/")
            yield Cgroup(
                limit=folder / "memory.max",
                used=folder / "memory.current",
                stat=folder / "memory.stat",
                events=folder / "memory.events",
                cache_name="inactive_file",
            )


def _own_cgroup() -> Cgroup | None:
    try:
        return cgroup_of(Path("/proc/self/cgroup").read_text())
    except (OSError, ValueError):
        return None


def available() -> int:
    """Bytes that can be taken now, under the container's limit too."""
    free: int = psutil.virtual_memory().available
    cgroup = _own_cgroup()
    try:
        below_limit = cgroup.free() if cgroup else None
    except (OSError, ValueError):
        return free
    return free if below_limit is None else min(free, below_limit)


class MemoryKills:
    """Watches the kernel's count of processes killed for memory."""

    def __init__(self) -> None:
        cgroup = _own_cgroup()
        self._path = cgroup.events if cgroup else _VMSTAT
        self._count = _field(self._path, "oom_kill")
        self._rise = 0
        self._rose_at = float("-inf")

    def recent(self) -> int:
        """Kills in the last few seconds; call when a worker was found dead."""
        now, count = time.monotonic(), _field(self._path, "oom_kill")
        if count > self._count:
            fresh = now - self._rose_at > _RECENT_S
            self._rise = (0 if fresh else self._rise) + count - self._count
            self._count, self._rose_at = count, now
        return self._rise if now - self._rose_at <= _RECENT_S else 0


def _field(path: Path, name: str) -> int:
    """The number behind `name` in a file of `name number` lines; 0 when it is not there."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)
