# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Keeps the verdict cache from growing for ever: pruned after a run, at most once a day."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from bringup.harness.records.variable_names import CACHE_DAYS_VARIABLE, CACHE_GIB_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.verdicts.cache import DAY, Pruned, VerdictCache

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
        if not cache.path.exists() or time.time() - _modified(stamp) < DAY:
            return None
        with FileLock(f"{stamp}.lock", timeout=0):
            stamp.touch()
            return cache.prune(limits.age_s, limits.size)
    return None


def _modified(stamp: Path) -> float:
    try:
        return stamp.stat().st_mtime
    except FileNotFoundError:
        return 0.0
