# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The plan of a run over all its shards: made once, handed to every shard by file.

Shards that each made their own plan would disagree: they know other durations and have other
devices. So a shard's plan has the hash of the plan of all and the names of the other shards'
tests, and whoever merges sees whether they were of one mind and which tests nobody ran.
"""

import hashlib
from collections.abc import Collection, Iterable

import msgspec

from bringup.harness.records.naming import identity_of_key, listed_as, nodeid_on
from bringup.harness.records.schema import SCHEMA_VERSION, Plan, PlannedTest


class SharedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which shard runs which tests."""

    schema: int = SCHEMA_VERSION
    run_id: str
    created: float
    """Seconds since the epoch."""
    session: str
    shards: tuple[tuple[PlannedTest, ...], ...]
    chosen: dict[str, tuple[str, ...]] = {}
    """The options that chose the tests, see `Plan.chosen`."""
    runners: tuple[str, ...] = ()
    """Of a fleet, which of its runners each shard is for; empty where all are alike."""
    more_s: tuple[float, ...] = ()
    """Of each shard, `Plan.more_s`; empty where nothing says what is to be run again."""
    budget_s: float | None = None
    """Of each shard, `Plan.budget_s`."""

    @property
    def total(self) -> int:
        """Tests of all shards together."""
        return sum(map(len, self.shards))

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of what decides which shard runs what and how."""
        decides = [sorted(map(_what_runs, tests)) for tests in self.shards]
        return hashlib.sha256(msgspec.json.encode((self.session, decides))).hexdigest()

    def of_shard(self, i: int, *, created: float, attempt: int = 1) -> Plan:
        """The plan of shard `i`, 1-based."""
        others = [t for j, tests in enumerate(self.shards, start=1) if j != i for t in tests]
        return Plan(
            run_id=self.run_id,
            created=created,
            session=self.session,
            shard=(i, len(self.shards)),
            tests=self.shards[i - 1],
            total=self.total,
            chosen=self.chosen,
            attempt=attempt,
            whole=self.digest,
            elsewhere={t.identity.key: listed_as(t) for t in others},
            more_s=self.more_s[i - 1] if i <= len(self.more_s) else None,
            budget_s=self.budget_s,
        )


def nobody_ran(keys: Collection[str]) -> str:
    """The sentence on planned tests that no shard ran; empty for none."""
    if not keys:
        return ""
    noun = "a planned test" if len(keys) == 1 else f"{len(keys)} planned tests"
    return f"nobody ran {noun}: {', '.join(keys)}"


def _what_runs(test: PlannedTest) -> tuple[str, str, str, list[tuple[str, str]]]:
    return test.identity.key, test.nodeid, test.list_name, sorted(test.environment.items())


def planned_by(plans: Iterable[Plan]) -> dict[str, PlannedTest]:
    """Every test that some shard planned or knows another to have planned, by key."""
    plans = list(plans)
    own = {test.identity.key: test for plan in plans for test in plan.tests}
    for plan in plans:
        for key, entry in plan.elsewhere.items():
            if key not in own:
                identity = identity_of_key(key)
                nodeid = nodeid_on(entry, identity.device, identity.size)
                own[key] = PlannedTest(identity, nodeid, entry=entry)
    return own
