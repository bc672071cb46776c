# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Keeps the verdict cache from growing for ever: pruned after a run, at most once a day.

Lowerings and compilations lie beside it, within the same age and, with it, the same size.
"""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from bringup.harness.records.variable_names import CACHE_DAYS_VARIABLE, CACHE_GIB_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.verdicts.cache import DAY, Pruned, VerdictCache
from bringup.harness.storage.file_cache import FileCache
from bringup.harness.storage.presence import is_there

_MOST = 1 << 62


@dataclass(frozen=True)
class Limits:
    """How much is kept, and for how long."""

    age_s: float
    size: int
    """Bytes."""

    @classmethod
    def from_environment(cls) -> Self:
        """As the environment says; 90 days and 4 GiB where it says nothing.

        Raises:
            UsageError: a limit is no number above 0.
        """
        days = VARIABLES[CACHE_DAYS_VARIABLE].read()
        gib = VARIABLES[CACHE_GIB_VARIABLE].read()
        return cls(days * DAY, int(min(gib * (1 << 30), _MOST)))


def prune_if_due(cache: VerdictCache, limits: Limits) -> Pruned | None:
    """Prune, unless that was done in the last 24 hours or somebody is at it; None then."""
    stamp = cache.path.with_name(f"{cache.path.name}.pruned")
    with contextlib.suppress(OSError, Timeout):
        builds = FileCache(builds_beside(cache.path))
        there = is_there(cache.path) or is_there(builds.folder)
        if not there or time.time() - _modified(stamp) < DAY:
            return None
        with FileLock(f"{stamp}.lock", timeout=0):
            stamp.touch()
            found = Pruned(0, 0, 0)
            if is_there(cache.path):
                found = cache.prune(limits.age_s, limits.size)
            left = builds.prune(limits.age_s, max(limits.size - found.bytes_kept, 0))
            return Pruned(
                found.kept + left.kept,
                found.removed + left.removed,
                found.bytes_kept + left.size,
            )
    return None


def builds_beside(cache: Path) -> Path:
    """Where lowerings and compilations are kept, by the verdict cache's database."""
    return cache.with_name(f"{cache.name}.builds")


def _modified(stamp: Path) -> float:
    try:
        return stamp.stat().st_mtime
    except FileNotFoundError:
        return 0.0
