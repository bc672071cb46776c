# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One plan for all shards: a merge sees whether they had it, and names what nobody ran."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.plans import SharedPlan, nobody_ran, planned_by
from bringup.harness.records.run_dir import (
    load_journals,
    read_merged,
    read_plan,
    read_shared_plan,
    write_plan,
    write_shared_plan,
)
from bringup.harness.records.schema import (
    SCHEMA_VERSION,
    Identity,
    Outcome,
    PlannedTest,
    RunHeader,
    TestEnded,
    TestStarted,
)
from bringup.pipeline.planning.durations import Durations, Estimator, Sample, combined
from bringup.pipeline.planning.plan import from_entries
from bringup.pipeline.planning.shard import partition
from bringup.pipeline.results.merge import finish, merge
from bringup.pipeline.results.shards import shards_in
from tests.unit.run_builder import PROVENANCE, RUN_ID, STARTED, identity, nodeid

FLEET = [identity(f"m{i}", device) for i in range(8) for device in ("cpu", "n150")]


def planned(test: Identity) -> PlannedTest:
    return PlannedTest(test, nodeid(test), entry=nodeid(test).replace(f"-{test.device}]", "]"))


def shared(n: int = 2, tests: Sequence[Identity] = FLEET) -> SharedPlan:
    dealt = partition([planned(t) for t in tests], n)
    return SharedPlan(
        run_id=RUN_ID, created=STARTED, session="nightly", shards=tuple(map(tuple, dealt))
    )


def ran(run_dir: Path, plan: SharedPlan, i: int, outcome: Outcome = Outcome.PASSED) -> Path:
    """Shard `i` as it comes out of its job."""
    write_plan(run_dir, plan.of_shard(i, created=STARTED))
    journal = JournalWriter(run_dir, plan.run_id, PROVENANCE)
    for test in plan.shards[i - 1]:
        key = test.identity.key
        journal.append(
            TestStarted(time=STARTED, identity=test.identity, nodeid=test.nodeid, pid=1), sync=False
        )
        journal.append(TestEnded(time=STARTED + 1, key=key, outcome=outcome), sync=False)
    journal.close()
    return run_dir


def test_a_plan_says_what_decides_which_shard_runs_what(tmp_path: Path) -> None:
    plan = shared()
    again = read_shared_plan(write_shared_plan(tmp_path / "plan.json", plan))
    assert again == plan and again.digest == plan.digest
    assert shared(3).digest != plan.digest != shared(2, FLEET[:-1]).digest
    later = msgspec.structs.replace(plan, created=9.0, chosen={"size": ("base",)})
    assert later.digest == plan.digest, "when and how it was made decides nothing"
    for i in (1, 2):
        own = plan.of_shard(i, created=1.0)
        assert own.whole == plan.digest and own.shard == (i, 2) and own.total == len(FLEET)
        assert set(planned_by([own])) == {t.key for t in FLEET}


def test_shards_of_one_plan_lose_nothing(tmp_path: Path) -> None:
    plan = shared()
    for i in (1, 2):
        header = finish(ran(tmp_path / "shards" / f"{i}", plan, i))
        assert header.whole == plan.digest
        assert len(read_merged(tmp_path / "shards" / f"{i}")[1]) == len(plan.shards[i - 1])
    header = merge(shards_in(tmp_path / "shards"), tmp_path / "night")
    assert header.missing == () and header.whole == plan.digest
    assert {r.identity for r in read_merged(tmp_path / "night")[1]} == set(FLEET)


def test_the_tests_of_a_shard_that_never_reported_are_named(tmp_path: Path) -> None:
    plan = shared()
    header = merge([ran(tmp_path / "1", plan, 1)], tmp_path / "night")
    absent, named = header.missing
    assert absent == "shard 2 of 2 never reported; 8 planned tests have no record"
    assert named.startswith("nobody ran 8 planned tests: ") and named == nobody_ran(header.unrun)
    assert all(t.identity.key in named for t in plan.shards[1])
    lost = [r for r in read_merged(tmp_path / "night")[1] if r.outcome is Outcome.NOT_RUN]
    assert {r.identity for r in lost} == {t.identity for t in plan.shards[1]}
    assert {r.entry for r in lost} == {t.entry for t in plan.shards[1]}
    assert header.planned == len(FLEET)


def test_with_the_plan_a_merge_needs_no_shard(tmp_path: Path) -> None:
    plan = shared()
    header = merge([], tmp_path / "night", plan)
    assert header.run_id == RUN_ID and header.session == "nightly" and header.planned == 16
    assert header.missing[0] == "shards 1, 2 of 2 never reported; 16 planned tests have no record"
    assert all(t.key in header.missing[1] for t in FLEET)


def test_shards_that_planned_otherwise_are_named_with_what_nobody_ran(tmp_path: Path) -> None:
    first, second = shared(2, FLEET), shared(2, FLEET[::2])
    header = merge(
        [ran(tmp_path / "1", first, 1), ran(tmp_path / "2", second, 2)], tmp_path / "night"
    )
    run = {t.identity.key for t in (*first.shards[0], *second.shards[1])}
    unrun = {t.key for t in FLEET} - run
    assert unrun and header.whole == ""
    otherwise, named = header.missing
    assert otherwise.startswith("the shards were planned differently: shard 1 of 2 of 16 tests")
    assert set(named.rpartition(": ")[2].split(", ")) == unrun


def test_runners_that_learn_from_their_own_shard_lose_no_test_in_silence(tmp_path: Path) -> None:
    """Night by night, as `results/durations.json` of each runner goes on; plans of their own."""
    entries = [f"a.py::test_m{i}[full-eval]" for i in range(12)]
    learned = [Durations(), Durations()]
    lost = 0
    for night in range(1, 4):
        dirs, run = [], set()
        for i in (1, 2):
            tests = from_entries(entries, ["cpu"], Estimator(learned[i - 1]))
            plan = SharedPlan(
                run_id=f"N{night}",
                created=1.0,
                session="nightly",
                shards=tuple(map(tuple, partition(tests, 2))),
            )
            dirs.append(ran(tmp_path / f"{night}-{i}", plan, i))
            mine = [t.identity.key for t in plan.shards[i - 1]]
            run |= set(mine)
            samples = {k: (Sample(float(k.split("[")[0][1:]) + i, night),) for k in mine}
            learned[i - 1] = combined(learned[i - 1], Durations(samples))
        header = merge(dirs, tmp_path / f"{night}")
        unrun = {t.identity.key for t in tests} - run
        lost += len(unrun)
        said = " ".join(header.missing)
        assert all(key in said for key in unrun) and bool(unrun) <= bool(header.missing)
        assert len({r.identity for r in read_merged(tmp_path / f"{night}")[1]}) == len(entries)
    assert lost, "else this has shown nothing"


def test_two_tests_that_are_one_to_the_records_are_named(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "run", RUN_ID, PROVENANCE)
    test = identity("same", "cpu")
    for file, outcome in (("a", Outcome.FAILED), ("b", Outcome.PASSED)):
        entry = f"{file}/test_same.py::test_same[full-eval]"
        journal.append(
            TestStarted(time=1.0, identity=test, nodeid=entry, pid=1, entry=entry), sync=False
        )
        journal.append(TestEnded(time=2.0, key=test.key, outcome=outcome), sync=False)
    journal.close()
    (said,) = finish(tmp_path / "run").missing
    assert "a/test_same.py::test_same[full-eval] and b/test_same.py::test_same[full-eval]" in said


def test_plans_have_one_reader_and_that_refuses_what_is_newer(tmp_path: Path) -> None:
    path = write_plan(tmp_path, shared().of_shard(1, created=1.0))
    assert read_plan(path).shard == (1, 2)
    now = f'"schema": {SCHEMA_VERSION}'.encode()
    path.write_bytes(path.read_bytes().replace(now, b'"schema": 99', 1))
    with pytest.raises(RecordError, match="written with record schema 99"):
        read_plan(path)
    with pytest.raises(RecordError, match="written with record schema 99"):
        read_shared_plan(path)


def test_a_header_of_before_reads(tmp_path: Path) -> None:
    old = {"run_id": "r", "session": "run", "created": 1.0, "schema": 3}
    assert msgspec.json.decode(msgspec.json.encode(old), type=RunHeader).whole == ""
    assert load_journals(tmp_path)[0] == []
