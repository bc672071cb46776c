# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a run tells its tests of the verdict cache, and what becomes of it afterwards.

What was lowered and compiled lies beside it, and is pruned with it.
"""

from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Plan
from bringup.harness.records.variable_names import (
    NO_CACHE_VARIABLE,
    RECHECK_VARIABLE,
    RESUMED_VARIABLE,
)
from bringup.harness.records.verdicts.cache import VerdictCache, default_path
from bringup.harness.records.verdicts.upkeep import Limits, prune_if_due
from bringup.harness.storage.presence import is_there
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions

NIGHTS = ("nightly", "weekly")
"""Sessions that look again at what the cache says without being asked."""
NIGHTLY_RECHECK = "2%"
"""Whatever a verdict's key may lack, two months of nights have computed each again on average."""


def variables(plan: Plan, options: RunOptions) -> dict[str, str]:
    """The environment of a run's tests; in it nothing else says what is done with the cache."""
    night = plan.session in NIGHTS and not options.no_cache
    recheck = options.recheck or (NIGHTLY_RECHECK if night else "")
    return {
        **({RESUMED_VARIABLE: "1"} if plan.resumed else {}),
        **({RECHECK_VARIABLE: recheck} if recheck else {}),
        **({NO_CACHE_VARIABLE: "1"} if options.no_cache else {}),
    }


def nothing_kept(options: RunOptions) -> bool:
    """Will tests find nothing of what earlier runs kept, as far as this machine knows?"""
    return options.no_cache or not is_there(default_path())


def prune(plan: Plan, say: Speaker) -> None:
    """Prune the cache, if that is due, after a run that used it; nothing depends on it."""
    if not plan.tests:
        return
    cache = VerdictCache()
    try:
        pruned = prune_if_due(cache, Limits.from_environment())
    except UsageError as error:
        say(str(error))
        return
    if pruned and pruned.removed:
        left = f"{pruned.kept} are left, {pruned.bytes_kept / (1 << 20):.0f} MiB"
        say(f"{cache.path}: {pruned.removed} cached verdicts pruned, {left}")
