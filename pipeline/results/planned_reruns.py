# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a night in shards runs again: the plan says it by the history, each shard does its part.

A shard has no history and cannot tell what is new, and whoever merges the shards has it and runs
nothing. So where the plan is made each test gets what promotion wants of it, and whether its
failing tonight would be news; a shard confirms and tries again what its own plan asks for, by the
`Reruns` of a night by itself; and the merged run is judged with what the rounds below it came to
(`confirm.confirmed_in`).
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.schema import Expect, Outcome, Plan, PlannedTest, RunAgain
from bringup.harness.storage.writable import said_by
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.judge.confirmation import Suspect, is_open
from bringup.pipeline.history.judge.verdict import Tonight, judge
from bringup.pipeline.history.samples import AT_THE_DESK, Sample
from bringup.pipeline.history.store.tables import NOWHERE
from bringup.pipeline.lists.expectations import End, Kept, Promise, promises_of
from bringup.pipeline.lists.lists import Lists
from bringup.pipeline.lists.specs import PROBE, list_specs
from bringup.pipeline.messages import Speaker
from bringup.pipeline.promotion.decide import attempts_wanted
from bringup.pipeline.promotion.decision import situation_of
from bringup.pipeline.promotion.policy import Policy, policy_of
from bringup.pipeline.promotion.probes import UNKNOWN_S
from bringup.pipeline.promotion.standings import Identify, full_flows
from bringup.pipeline.results.confirm import Reruns
from bringup.pipeline.results.judge_run import NIGHTS
from bringup.pipeline.results.promote_run import Asked, samples_of

# --- where the plan is made -----------------------------------------------------------------


def with_reruns(
    shared: SharedPlan, asked: Asked, lists: Lists | None, identify: Identify, say: Speaker
) -> SharedPlan:
    """The plan of all shards, with what each is to run again.

    `lists` is None of a session without any, of which promotion wants nothing. A history that
    cannot be read is a warning, and nothing is run again.
    """
    tests = [test for own in shared.shards for test in own]
    try:
        policy = policy_of(asked.lists)
        wanted = _attempts_wanted(shared.run_id, asked, lists, policy, identify) if lists else {}
        new = _would_be_new(shared, asked, tests)
    except (PipelineError, RecordError) as error:
        say(f"warning: the shards will run nothing again: {said_by(error)}")
        return shared

    def again(test: PlannedTest) -> PlannedTest:
        key = test.identity.key
        run_again = RunAgain(max(wanted.get(key, 1), 1), key in new)
        return msgspec.structs.replace(test, again=run_again)

    shards = tuple(tuple(again(test) for test in own) for own in shared.shards)
    return msgspec.structs.replace(
        shared, shards=shards, more_s=_shares(shards, policy.probe.budget_s)
    )


def _attempts_wanted(
    run_id: str, asked: Asked, lists: Lists, policy: Policy, identify: Identify
) -> Mapping[str, int]:
    """As `Night.attempts_wanted`; without any night before, what is wanted of unknown tests."""
    found = samples_of(asked, policy.evidence.window, empty=True)
    before = [sample for sample in found if sample.run != run_id]
    s = situation_of(before, lists, policy, identify)
    return attempts_wanted(s.columns, s.places, policy, s.compile_only)


def _would_be_new(
    shared: SharedPlan, asked: Asked, tests: Sequence[PlannedTest]
) -> Collection[str]:
    """Keys of tests whose failing in this run would be judged as new: what it would be judged by
    is known, and the failure is made up."""
    if asked.history == NOWHERE:
        return ()
    from bringup.pipeline.history.store.history import History  # with it comes the database
    from bringup.pipeline.history.store.read import samples

    history = History(asked.history)
    known = [
        run
        for run in history.runs()
        if run.run != shared.run_id
        and (run.session not in AT_THE_DESK or run.session == shared.session)
    ][-NIGHTS:]
    if not known:
        return ()
    before = samples(history, known, None, read_aliases(asked.lists))
    newest = max((sample.at for sample in before), default=0.0)
    at = max(shared.created, newest + 1)  # whatever this clock says, tonight is later
    tonight = [
        Sample(
            run=shared.run_id,
            at=at,
            test=test.identity.key,
            device=test.identity.device,
            outcome=Outcome.FAILED,
            list_name=test.list_name,
        )
        for test in tests
    ]
    sessions = {run.run: run.session for run in known} | {shared.run_id: shared.session}
    verdict = judge(
        columns_of([*before, *tonight]),
        Tonight(run=shared.run_id, at=at, session=shared.session, sessions=sessions),
    )
    if verdict.baseline is None:
        return ()
    failing = {
        t.identity.key for t in tests if t.expectation and t.expectation.expect is Expect.XFAIL
    }
    return failing | {one.test for one in verdict.tests if is_open(one)}


def _shares(shards: Sequence[Sequence[PlannedTest]], budget_s: float) -> tuple[float, ...]:
    """Of the seconds for further attempts each shard's, by what its probes are expected to take."""
    taking = [
        sum(
            UNKNOWN_S if test.estimate_s is None else test.estimate_s
            for test in own
            if test.list_name == PROBE and test.again.attempts > 1
        )
        for own in shards
    ]
    whole = sum(taking)
    return tuple(round(budget_s * seconds / whole, 3) if whole else 0.0 for seconds in taking)


# --- where a shard ran ----------------------------------------------------------------------


def run_again(reruns: Reruns, run_dir: Path, lists: Path, say: Speaker) -> None:
    """Run again what a shard's plan asks for, now that its tests are done.

    What goes wrong is a warning, and costs the shard nothing.

    Raises:
        RecordError: the disk is full or gone.
    """
    plan = reruns.plan
    if not reruns.budget_s or not any(t.again != RunAgain() for t in plan.tests):
        return
    try:
        own = samples_of(Asked(lists, NOWHERE, run_dir), window=1)
    except PipelineError as error:
        say(f"warning: nothing is run again: {said_by(error)}")
        return
    reruns.settle(suspects(plan, own), own)
    reruns.try_more(full_flows(own), plan.more_s or 0.0)


def suspects(plan: Plan, own: Sequence[Sample]) -> list[Suspect]:
    """What failed in a shard and is news by its plan, the most urgent first."""
    promises, specs = promises_of([plan], {}), list_specs()
    by_key = {test.identity.key: test for test in plan.tests}

    def urgency(one: Suspect) -> tuple[bool, str]:
        spec = specs.get(by_key[one.test].list_name)
        return not (spec and spec.gating), one.test

    found = [
        Suspect(s.test, s.device, s.seconds)
        for s in own
        if s.test in by_key and by_key[s.test].again.new and s.seconds
        if not (s.good or s.excluded or s.passed)
        if _is_news(promises.get(s.test), s)
    ]
    return sorted(found, key=urgency)


def _is_news(promise: Promise | None, sample: Sample) -> bool:
    end = End(sample.outcome, sample.fingerprint)
    return promise is None or promise.judge(end) is not Kept.EXPECTED_FAILURE


def wanted_by(plan: Plan) -> Mapping[str, int]:
    """As `Reruns.wanted`, by what the plan says."""
    return {test.identity.key: test.again.attempts for test in plan.tests}
