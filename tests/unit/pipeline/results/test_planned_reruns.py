# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What shards run again: planned by the history, carried over by a merge, and judged."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.fingerprint import fingerprint
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.naming import nodeid_on
from bringup.harness.records.night import Judgement, read_night
from bringup.harness.records.plans import SharedPlan
from bringup.harness.records.run_dir import (
    CONFIRM_FOLDER,
    read_merged,
    read_plan,
    read_shared_plan,
    write_plan,
    write_shared_plan,
)
from bringup.harness.records.schema import (
    Identity,
    Outcome,
    Plan,
    PlannedTest,
    RunAgain,
    Stage,
    TestEnded,
    TestStarted,
)
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.lists.lists import Entry, Lists
from bringup.pipeline.lists.specs import NIGHTLY_FULL, NIGHTLY_OP_BY_OP, PROBE
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.confirm import confirmed_in, found_below
from bringup.pipeline.results.merge import finish, merge, rounds_id
from bringup.pipeline.results.planned_reruns import suspects, wanted_by, with_reruns
from bringup.pipeline.results.promote_run import Asked
from bringup.pipeline.results.remember import remember_and_judge
from tests.unit import run_builder as made
from tests.unit.run_builder import PROVENANCE, RUN_ID, STARTED, identity

DAY = 86400.0
GOOD, BAD = Outcome.PASSED, Outcome.FAILED
BERT, GPT2, VIT, T5 = (identity(model, "cpu") for model in ("bert", "gpt2", "vit", "t5"))


def entry_of(test: Identity) -> str:
    return f"tests/models/{test.model}/test_{test.model}.py::test_{test.name}"


def planned(test: Identity, list_name: str = NIGHTLY_FULL.name, **fields: object) -> PlannedTest:
    entry = entry_of(test)
    made = PlannedTest(test, nodeid_on(entry, test.device), list_name, entry=entry)
    return msgspec.structs.replace(made, **fields)


def shared(*shards: list[PlannedTest], run_id: str = RUN_ID) -> SharedPlan:
    return SharedPlan(
        run_id=run_id, created=STARTED, session="nightly", shards=tuple(map(tuple, shards))
    )


def night(address: Path, number: int, outcomes: dict[Identity, Outcome]) -> None:
    """A night before, in the history."""
    records = [made.record(test, outcome) for test, outcome in outcomes.items()]
    created = STARTED - DAY * (10 - number)
    tests = tuple(planned(test) for test in outcomes)
    plan = Plan(run_id=f"n{number}", created=created, session="nightly", tests=tests, total=4)
    run_dir = made.write_run(address.parent / f"n{number}", records, plan=plan, created=created)
    History(str(address)).add(run_dir)


def listed(*tests: Identity, ops: tuple[Identity, ...] = ()) -> Lists:
    entries = [Entry(NIGHTLY_FULL, t.device, entry_of(t), i) for i, t in enumerate(tests)]
    split = (entry_of(t).replace("full", "op_by_op_torch") for t in ops)
    entries += [Entry(NIGHTLY_OP_BY_OP, "cpu", text, i) for i, text in enumerate(split)]
    return Lists(Path("lists"), tuple(entries))


class TestPlanned:
    def test_by_what_history_knows(self, tmp_path: Path) -> None:
        for number in range(3):
            outcomes = {BERT: GOOD, GPT2: BAD, VIT: GOOD if number < 2 else BAD}
            night(tmp_path / "history", number, outcomes)
        probe = planned(T5, PROBE, estimate_s=30.0)
        plan = shared([planned(BERT), planned(GPT2)], [planned(VIT), probe])
        asked = Asked(tmp_path, str(tmp_path / "history"))
        lists = listed(BERT, GPT2, VIT, ops=(T5,))
        said = io.StringIO()
        found = with_reruns(plan, asked, lists, identify_test, Speaker(said))
        assert said.getvalue() == ""
        again = {t.identity.model: t.again for own in found.shards for t in own}
        assert {model: one.new for model, one in again.items()} == {
            "bert": True,  # it was good
            "gpt2": False,  # it has always been bad
            "vit": False,  # it is bad since yesterday
            "t5": True,  # nobody has seen it
        }
        assert again["t5"].attempts == 12 and 3 <= again["bert"].attempts <= 6
        assert found.more_s == (0.0, 3600.0)  # where the probe is
        assert found.digest == plan.digest  # which shard runs what is as it was
        file = write_shared_plan(tmp_path / "plan.json", found)
        own = read_shared_plan(file).of_shard(2, created=STARTED)
        assert own.more_s == 3600.0 and wanted_by(own)[T5.key] == 12

    def test_without_a_night_before_nothing_is_new(self, tmp_path: Path) -> None:
        plan = shared([planned(BERT)], [planned(T5, PROBE)])
        for history in (str(tmp_path / "history"), "none"):
            said = io.StringIO()
            found = with_reruns(
                plan,
                Asked(tmp_path, history),
                listed(BERT, ops=(T5,)),
                identify_test,
                Speaker(said),
            )
            [bert], [t5] = found.shards
            assert not bert.again.new and not t5.again.new and said.getvalue() == ""
            assert t5.again.attempts == 12 and found.more_s == (0.0, 3600.0)

    def test_a_history_that_cannot_be_read_is_a_warning(self, tmp_path: Path) -> None:
        (tmp_path / "history").write_text("a file in its place")
        plan, said = shared([planned(BERT)], [planned(T5)]), io.StringIO()
        asked = Asked(tmp_path, str(tmp_path / "history"))
        assert with_reruns(plan, asked, listed(BERT), identify_test, Speaker(said)) == plan
        warning = said.getvalue()
        assert warning.startswith("warning: the shards will run nothing again: ")
        assert warning.count("\n") == 1

    def test_the_same_run_planned_again_is_no_night_before(self, tmp_path: Path) -> None:
        night(tmp_path / "history", 1, {BERT: BAD, T5: GOOD})
        plan = shared([planned(BERT)], [planned(T5)], run_id="n1")
        asked = Asked(tmp_path, str(tmp_path / "history"))
        found = with_reruns(plan, asked, listed(BERT, T5), identify_test, Speaker(io.StringIO()))
        assert not any(t.again.new for own in found.shards for t in own)

    def test_a_clock_that_went_back_changes_nothing(self, tmp_path: Path) -> None:
        night(tmp_path / "history", 20, {BERT: GOOD, T5: GOOD})  # ten days from now
        plan = shared([planned(BERT)], [planned(T5)])
        asked = Asked(tmp_path, str(tmp_path / "history"))
        found = with_reruns(plan, asked, listed(BERT, T5), identify_test, Speaker(io.StringIO()))
        assert all(t.again.new for own in found.shards for t in own)

    def test_a_plan_of_the_last_version_asks_for_nothing(self, tmp_path: Path) -> None:
        file = write_shared_plan(tmp_path / "plan.json", shared([planned(BERT)], [planned(T5)]))
        plain = json.loads(file.read_text())
        del plain["more_s"]
        for own in plain["shards"]:
            for test in own:
                del test["again"]
        file.write_text(json.dumps(plain))
        own = read_shared_plan(file).of_shard(1, created=STARTED)
        assert own.more_s is None and own.tests[0].again == RunAgain()
        assert suspects(own, [failed(BERT)]) == []
        read = read_plan(write_plan(tmp_path, own))
        assert read.more_s is None


def identify_test(entry: str, device: str) -> Identity:
    """As pytest would say it."""
    model = entry.split("/")[2]
    flow = "full" if "[full" in entry else "op_by_op_torch"
    return msgspec.structs.replace(identity(model, device), flow=flow)


def failed(test: Identity, **fields: object) -> Sample:
    made = Sample(
        run=RUN_ID,
        at=STARTED,
        test=test.key,
        device=test.device,
        outcome=BAD,
        stage=Stage.COMPILE,
        failed=1,
        seconds=2.0,
        fingerprint=fingerprint("compile", "", "no lowering"),
    )
    return msgspec.structs.replace(made, **fields)


class TestSuspects:
    def plan(self, **fields: object) -> Plan:
        tests = [planned(t, again=RunAgain(3, True), **fields) for t in (BERT, T5)]
        one = shared(tests, [planned(VIT)]).of_shard(1, created=STARTED)
        return msgspec.structs.replace(one, devices={"cpu": DeviceState.EXECUTES})

    def test_what_is_new_is_run_again(self) -> None:
        [one] = suspects(self.plan(), [failed(T5), failed(VIT)])  # vit is another shard's
        assert (one.test, one.device, one.seconds) == (T5.key, "cpu", 2.0)

    @pytest.mark.parametrize(
        "fields",
        [
            {"outcome": GOOD},
            {"excluded": Excluded.MACHINE},
            {"excluded": Excluded.MASS_FAILURE},
            {"passed": 1},
            {"seconds": None},
        ],
    )
    def test_what_says_nothing_or_came_out_both_ways_is_not(
        self, fields: dict[str, object]
    ) -> None:
        assert suspects(self.plan(), [failed(T5, **fields)]) == []

    def test_an_expected_failure_is_no_news_and_another_one_is(self) -> None:
        mark = fingerprint("compile", "", "no lowering")
        expected = Expectation(expect=Expect.XFAIL, fingerprint=mark, reason="known")
        plan = self.plan(expectation=expected)
        assert suspects(plan, [failed(T5)]) == []
        other = fingerprint("execute", "", "device says no")
        assert [s.test for s in suspects(plan, [failed(T5, fingerprint=other)])] == [T5.key]


# --- rounds that were run ---------------------------------------------------------------------


def ran(
    run_dir: Path, run_id: str, outcomes: dict[Identity, Outcome], shard: tuple[int, int] = (1, 1)
) -> Path:
    """A run, or a shard, or a round, as it comes out of its job."""
    run_dir.mkdir(parents=True)
    tests = tuple(planned(test, again=RunAgain(3, True)) for test in outcomes)
    plan = Plan(
        run_id=run_id,
        created=STARTED,
        session="nightly",
        tests=tests,
        shard=shard,
        total=4,
        devices={"cpu": DeviceState.EXECUTES},
    )
    write_plan(run_dir, plan)
    journal = JournalWriter(run_dir, run_id, PROVENANCE)
    for i, (test, outcome) in enumerate(outcomes.items()):
        at, nodeid = STARTED + i, nodeid_on(entry_of(test), test.device)
        started = TestStarted(time=at, identity=test, nodeid=nodeid, pid=1, entry=entry_of(test))
        journal.append(started, sync=False)
        failure = None if outcome is GOOD else made.record(test, outcome).failure
        ended = TestEnded(time=at + 0.5, key=test.key, outcome=outcome, failure=failure)
        journal.append(ended, sync=False)
    journal.close()
    return run_dir


SANDWICH = "c t c t c"


def confirmed(
    shard: Path, prefix: str, control: Identity, reruns: dict[Identity, str], most: int = 5
) -> None:
    """The rounds below a shard; of each test what its two reruns come to, `.` or `F`."""
    turn = 0
    for number, word in enumerate(SANDWICH.split()[:most], start=1):
        name = f"{prefix}-{number}"
        if word == "c":
            outcomes = {control: GOOD}
        else:
            outcomes = {t: GOOD if letters[turn] == "." else BAD for t, letters in reruns.items()}
            turn += 1
        finish(ran(shard / CONFIRM_FOLDER / name, rounds_id(RUN_ID, name), outcomes))


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two shards: in one bert fails and stays bad, in the other t5 fails once."""
    first = ran(tmp_path / "s1", RUN_ID, {BERT: BAD, VIT: GOOD}, (1, 2))
    confirmed(first, "1-of-2-1", VIT, {BERT: "FF"})
    second = ran(tmp_path / "s2", RUN_ID, {T5: BAD, GPT2: GOOD}, (2, 2))
    confirmed(second, "2-of-2-1", GPT2, {T5: ".F"})
    for shard in (first, second):
        finish(shard)
    return [first, second]


class TestMerged:
    def test_reruns_of_all_shards_are_attempts_and_judge_the_night(
        self, two: list[Path], tmp_path: Path
    ) -> None:
        night(tmp_path / "history", 1, dict.fromkeys((BERT, GPT2, VIT, T5), GOOD))
        into = tmp_path / "night"
        header = merge(two, into)
        assert header.missing == ()
        assert confirmed_in(into) == {BERT.key: Judgement.REGRESSION, T5.key: Judgement.FLAKE}
        said = io.StringIO()
        remember_and_judge(
            into, RUN_ID, str(tmp_path / "history"), tmp_path, Speaker(said), found_below(into)
        )
        assert "warning" not in said.getvalue(), said.getvalue()
        verdict = read_night(into)
        assert verdict is not None
        judged = {t.test: (t.judgement, t.settled) for t in verdict.tests if t.outcome is BAD}
        assert judged == {
            BERT.key: (Judgement.REGRESSION, True),
            T5.key: (Judgement.FLAKE, True),
        }
        history = History(str(tmp_path / "history"))
        own = {s.test: (s.passed, s.failed) for s in samples(history, history.runs()[-1:])}
        assert own == {BERT.key: (0, 3), T5.key: (1, 2), VIT.key: (4, 0), GPT2.key: (4, 0)}

    def test_without_a_night_before_reruns_settle_nothing(
        self, two: list[Path], tmp_path: Path
    ) -> None:
        into = tmp_path / "night"
        merge(two, into)
        history = str(tmp_path / "history")
        remember_and_judge(
            into, RUN_ID, history, tmp_path, Speaker(io.StringIO()), found_below(into)
        )
        verdict = read_night(into)
        assert verdict is not None
        judged = {t.test: (t.judgement, t.settled) for t in verdict.tests if t.outcome is BAD}
        assert judged[BERT.key] == (Judgement.NEW, False)  # nobody knows that it was good

    def test_a_lost_shard_loses_its_own_only_and_may_come_late(
        self, two: list[Path], tmp_path: Path
    ) -> None:
        into = tmp_path / "night"
        merge(two[:1], into)
        assert confirmed_in(into) == {BERT.key: Judgement.REGRESSION}
        merge(two[1:], into)
        assert confirmed_in(into) == {BERT.key: Judgement.REGRESSION, T5.key: Judgement.FLAKE}
        before = {p: p.read_bytes() for p in into.rglob("*") if p.is_file()}
        merge(two, into)
        assert {p: p.read_bytes() for p in into.rglob("*") if p.is_file()} == before

    def test_what_was_confirmed_last_counts(self, two: list[Path], tmp_path: Path) -> None:
        confirmed(two[0], "1-of-2-2", VIT, {BERT: ".."})  # taken up again, or its job tried again
        assert confirmed_in(two[0]) == {BERT.key: Judgement.FLAKE}
        confirmed(two[0], "1-of-2-10", VIT, {BERT: "FF"}, most=2)  # cut off: it says nothing
        assert confirmed_in(two[0]) == {BERT.key: Judgement.FLAKE}
        merge(two, tmp_path / "night")
        assert confirmed_in(tmp_path / "night")[BERT.key] is Judgement.FLAKE

    def test_a_round_that_was_cut_off_costs_no_test(self, two: list[Path], tmp_path: Path) -> None:
        name = "2-of-2-1-4"
        for path in (two[1] / CONFIRM_FOLDER / name / "journal").iterdir():
            path.unlink()
        header = merge(two, tmp_path / "night")
        assert header.missing == () and len(read_merged(tmp_path / "night")[1]) == 4
        [record] = read_merged(tmp_path / "night" / CONFIRM_FOLDER / name)[1]
        assert record.outcome is Outcome.NOT_RUN
        assert confirmed_in(tmp_path / "night") == {BERT.key: Judgement.REGRESSION}

    def test_rounds_of_another_run_are_left_behind(self, two: list[Path], tmp_path: Path) -> None:
        stranger = "1-of-2-7-1"
        finish(
            ran(two[0] / CONFIRM_FOLDER / stranger, rounds_id("another", stranger), {BERT: GOOD})
        )
        header = merge(two, tmp_path / "night")
        assert header.missing == (f"s1: what was run again in {stranger} is of another run",)
        assert not (tmp_path / "night" / CONFIRM_FOLDER / stranger).exists()

    def test_links_and_other_names_are_not_followed(self, two: list[Path], tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "plan.json").write_text("{}")
        (two[0] / CONFIRM_FOLDER / "1-of-2-8-1").symlink_to(secret)
        (two[0] / CONFIRM_FOLDER / "..%2f").mkdir()
        merge(two, tmp_path / "night")
        names = sorted(path.name for path in (tmp_path / "night" / CONFIRM_FOLDER).iterdir())
        assert names == [f"{i}-of-2-1-{n}" for i in (1, 2) for n in range(1, 6)]
