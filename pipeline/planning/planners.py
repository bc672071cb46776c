# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The static planners by name: a registry of those that are shipped and of other people's.

Planners of other people's are named by an entry point of the group `bringup.planners`, or by the
module that holds them in `BRINGUP_PLANNERS=MODULE[,MODULE]`: a `Planner`, several, or a module
with `PLANNERS`.
"""

import functools
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.extensions import things
from bringup.harness.records.variable_names import PLANNERS_VARIABLE
from bringup.pipeline.planning.shard import Deal, Shards, affinity, longest_first, round_robin
from bringup.pipeline.planning.work import Runner, WorkUnit

ENTRY_POINTS = "bringup.planners"


@dataclass(frozen=True)
class Planner:
    """A way to deal units out to runners that share nothing."""

    name: str
    """What `--planner` calls it."""
    says: str
    """What it is, in a line of the help."""
    deal: Deal

    def plan(self, units: Sequence[WorkUnit], runners: Sequence[Runner]) -> Shards:
        """Shards in the order of the runners.

        Raises:
            PipelineError: a unit needs what no runner has.
            UsageError: a planner of somebody else's loses a unit or makes one twice.
        """
        shards = self.deal(units, runners)
        dealt = Counter(u.key for shard in shards for u in shard)
        if len(shards) != len(runners) or dealt != Counter(u.key for u in units):
            raise UsageError(f"the planner {self.name} does not deal out every test exactly once")
        return shards


AFFINITY = Planner("affinity", "even shards, tests of one model together", affinity)
SHIPPED = (
    AFFINITY,
    Planner("lpt", "the longest test first, each to the shard with the least", longest_first),
    Planner("round_robin", "in turn, whatever a test lasts", round_robin),
)


def planner_of(name: str) -> Planner:
    """The planner of a name.

    Raises:
        UsageError: there is no such planner, or one of somebody else's cannot be had.
    """
    known = planners()
    if name not in known:
        there_are = ", ".join(known)
        raise UsageError(f"unknown planner {name!r}; known are {there_are}{hint(name, known)}")
    return known[name]


def planners() -> dict[str, Planner]:
    """Every planner there is here, by name; other people's are last."""
    return _planners(os.environ.get(PLANNERS_VARIABLE, ""))


@functools.cache
def _planners(modules: str) -> dict[str, Planner]:
    """`modules` are those of the variable."""
    found = {planner.name: planner for planner in SHIPPED}
    for planner, source in things(ENTRY_POINTS, PLANNERS_VARIABLE, modules, Planner, "PLANNERS"):
        if found.setdefault(planner.name, planner) is not planner:
            raise UsageError(f"{source}: there is a planner called {planner.name} already")
    return found
