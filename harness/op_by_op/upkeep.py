# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Keeps the verdict cache from growing for ever: pruned after a run, at most once a day."""

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from harness.errors import UsageError
from harness.op_by_op.cache import DAY, Pruned, VerdictCache

DAYS_VARIABLE = "BRINGUP_CACHE_DAYS"
"""Verdicts not used for so many days are forgotten."""
GIB_VARIABLE = "BRINGUP_CACHE_GIB"
"""When verdicts and their texts take more, the least recently used are forgotten."""
_DAYS, _GIB = 90.0, 4.0


@dataclass(frozen=True)
class Limits:
    """How much is kept, and for how long."""

    age_s: float
    size: int
    """Bytes."""

    @classmethod
    def from_environment(cls) -> Self:
        """As the environment says; 90 days and 4 GiB without a word.

        Raises:
            UsageError: a limit is no number above 0.
        """
        days, gib = _number(DAYS_VARIABLE, _DAYS), _number(GIB_VARIABLE, _GIB)
        return cls(days * DAY, int(gib * (1 << 30)))


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise UsageError(f"{variable}={text} is no limit of the verdict cache; write a number")
    return number


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


def main() -> int:
    """Entry point of `python -m harness.op_by_op.upkeep`; one line when something was pruned."""
    cache = VerdictCache()
    try:
        pruned = prune_if_due(cache, Limits.from_environment())
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    if pruned and pruned.removed:
        left = f"{pruned.kept} are left, {pruned.bytes_kept / (1 << 20):.0f} MiB"
        print(f"{cache.path}: {pruned.removed} cached verdicts pruned, {left}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
