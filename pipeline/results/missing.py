# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a merged run lacks, in sentences for its header, and the tests that nobody ran."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bringup.harness.records.door import command
from bringup.harness.records.fold import model_status
from bringup.harness.records.naming import listed_as, same_test
from bringup.harness.records.outcomes import LEFT_OUT, is_left_out
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.schema import Failure, Outcome, Plan, PlannedTest, Status, TestRecord
from bringup.pipeline.option_values import span_text
from bringup.pipeline.planning.budget import is_in_time, why_left_out


def unrun(
    records: Iterable[TestRecord],
    plans: Iterable[Plan],
    planned: Mapping[str, PlannedTest],
    budget_s: float | None = None,
) -> list[TestRecord]:
    """A NOT_RUN for every planned test that left no record; `budget_s` is what each shard might
    take."""
    known = {record.identity.key for record in records}
    missing: dict[str, TestRecord] = {}
    for plan in plans:
        i, n = plan.shard
        where = f" in shard {i} of {n}" if n > 1 else ""
        for test in plan.tests:
            if test.identity.key not in known:
                missing[test.identity.key] = _never_started(
                    test, f"planned{where} and never started", budget_s
                )
    for key, test in planned.items():
        if key not in known and key not in missing:
            why = "planned, and run by no shard that reported"
            missing[key] = _never_started(test, why, budget_s)
    return [missing[key] for key in sorted(missing)]


def _never_started(test: PlannedTest, why: str, budget_s: float | None) -> TestRecord:
    failure = Failure(None, "NOT_RUN", why)
    if budget_s is not None and not is_in_time(test) and test.turn is not None:
        failure = Failure(None, LEFT_OUT, why_left_out(test.turn, span_text(budget_s)))
    return TestRecord(
        identity=test.identity,
        nodeid=test.nodeid,
        entry=test.entry,
        outcome=Outcome.NOT_RUN,
        status=Status.NOT_STARTED,
        model_status=model_status(Outcome.NOT_RUN, Status.NOT_STARTED, failure),
        failure=failure,
    )


def unrun_by_all(
    records: Sequence[TestRecord], plans: Sequence[Plan], *, lost: bool
) -> tuple[str, ...]:
    """The tests that nobody ran, by key.

    With `lost`, what a shard brought and nobody can use may have told of its own tests, which then
    have but their NOT_RUN. What a budget left out is no loss.
    """
    own = {test.identity.key for plan in plans for test in plan.tests} if lost else set()
    own |= {record.identity.key for record in records if is_left_out(record)}
    return tuple(r.identity.key for r in records if r.identity.key not in own)


def absent_shards(plans: Sequence[Plan], shared: SharedPlan | None) -> Iterator[str]:
    """A sentence for the shards that never reported, by the number of shards."""
    counts = {plan.shard[1] for plan in plans} | ({len(shared.shards)} if shared else set())
    for n in sorted(counts):
        arrived = {p.shard[0]: p for p in plans if p.shard[1] == n}
        absent = [str(i) for i in range(1, n + 1) if i not in arrived]
        total = max((p.total for p in arrived.values()), default=shared.total if shared else 0)
        left = total - sum(len(p.tests) for p in arrived.values())
        if absent:
            word = "shard" if len(absent) == 1 else "shards"
            tests = f"; {left} planned tests have no record" if left > 0 else ""
            yield f"{word} {', '.join(absent)} of {n} never reported{tests}"


def otherwise_planned(plans: Sequence[Plan], shared: SharedPlan | None) -> Iterator[str]:
    """Shards that do not have the plan of the others: tests may be in none of them, or in two."""
    known = [(f"shard {p.shard[0]} of {p.shard[1]}", p.whole, p.total) for p in plans]
    known += [("the plan", shared.digest, shared.total)] if shared else []
    if len({(whole, total) for _, whole, total in known}) > 1:
        each = ", ".join(
            f"{who} of {total} tests in all{f' (plan {whole[:12]})' if whole else ''}"
            for who, whole, total in known
        )
        yield f"the shards were planned differently: {each}; plan once, with `{command('plan')}`"


def unnamed(plans: Sequence[Plan], planned: Mapping[str, PlannedTest]) -> Iterator[str]:
    """Tests that were counted by an older version's plan and stand in nobody's."""
    counts = {plan.shard[1] for plan in plans}
    arrived = {plan.shard for plan in plans}
    left = max((plan.total for plan in plans), default=0) - len(planned)
    if left > 0 and all((i, n) in arrived for n in counts for i in range(1, n + 1)):
        noun = "a planned test is" if left == 1 else f"{left} planned tests are"
        yield f"{noun} in no shard's plan, and not known by name"


def twins(records: Iterable[TestRecord]) -> Iterator[str]:
    """Two tests that are one to the records: one's outcome hides the other's."""
    entries: dict[str, str] = {}
    said = set()
    for record in records:
        key, entry = record.identity.key, listed_as(record)
        if entry and entries.setdefault(key, entry) != entry and (key, entry) not in said:
            said.add((key, entry))
            yield same_test(entries[key], entry, key)
