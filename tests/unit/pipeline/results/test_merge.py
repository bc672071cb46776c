# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Shards into one run: everything that arrived survives, everything that did not is named."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.journal import JournalWriter, pack_journals
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged, read_plans, write_plan
from bringup.harness.records.schema import (
    AnyEvent,
    Identity,
    JournalOpened,
    ModelStatus,
    Outcome,
    Plan,
    PlannedTest,
    Stage,
    StageStarted,
    Status,
    TestEnded,
    TestRecord,
    TestStarted,
)
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.results.merge import finish, merge
from tests.unit.run_builder import PROVENANCE, RUN_ID, STARTED, identity, nodeid

FLEET = [identity(model, "cpu") for model in ("bert", "gpt2", "resnet50", "t5", "vit")]


def plan(
    run_dir: Path,
    tests: list[Identity],
    shard: tuple[int, int] = (1, 1),
    total: int = 0,
    created: float = STARTED,
    run_id: str = RUN_ID,
) -> None:
    write_plan(
        run_dir,
        Plan(
            run_id=run_id,
            created=created,
            session="nightly",
            shard=shard,
            tests=tuple(PlannedTest(t, nodeid(t)) for t in tests),
            total=total or len(tests),
        ),
    )


def ran(
    run_dir: Path,
    tests: list[Identity],
    outcome: Outcome | None = Outcome.PASSED,
    at: float = STARTED,
    run_id: str = RUN_ID,
) -> Path:
    """A real journal of tests that ran one after the other; None: the process died in each."""
    journal = JournalWriter(run_dir, run_id, PROVENANCE)
    for i, test in enumerate(tests):
        now = at + 10 * i
        events: list[AnyEvent] = [
            TestStarted(time=now, identity=test, nodeid=nodeid(test), pid=1),
            StageStarted(time=now + 1, key=test.key, stage=Stage.COMPILE),
        ]
        if outcome is not None:
            events.append(TestEnded(time=now + 2, key=test.key, outcome=outcome))
        for event in events:
            journal.append(event)
    journal.close()
    return journal.path


def shards(folder: Path, *, n: int = 2) -> list[Path]:
    """The fleet, dealt out to n shards that all ran."""
    found = []
    for i in range(n):
        run_dir = folder / f"shard-{i + 1}"
        plan(run_dir, FLEET[i::n], (i + 1, n), len(FLEET))
        ran(run_dir, FLEET[i::n])
        found.append(run_dir)
    return found


def outcomes(run_dir: Path) -> dict[str, Outcome]:
    return {r.identity.model: r.outcome for r in latest(read_merged(run_dir)[1])}


def everything(run_dir: Path) -> dict[str, bytes]:
    return {
        path.relative_to(run_dir).as_posix(): path.read_bytes()
        for path in run_dir.rglob("*")
        if path.is_file()
    }


class TestShards:
    def test_all_of_them_make_one_run(self, tmp_path: Path) -> None:
        header = merge(shards(tmp_path), tmp_path / "all")
        assert header == read_merged(tmp_path / "all")[0]
        assert (header.run_id, header.session, header.created) == (RUN_ID, "nightly", STARTED)
        assert header.shards == ((1, 2), (2, 2))
        assert header.planned == len(FLEET)
        assert header.missing == ()
        assert len(header.provenances) == 2
        assert outcomes(tmp_path / "all") == dict.fromkeys((t.model for t in FLEET), Outcome.PASSED)
        assert [p.shard for p in read_plans(tmp_path / "all")] == [(1, 2), (2, 2)]

    def test_texts_come_along_and_are_stored_once(self, tmp_path: Path) -> None:
        parts = shards(tmp_path)
        kept = [ArtifactStore(part).put("module {}", "stablehlo") for part in parts]
        own = ArtifactStore(parts[1]).put("module { own }", "ttir")
        merge(parts, tmp_path / "all")
        store = ArtifactStore(tmp_path / "all")
        assert [store.get(a) for a in (*kept, own)] == [b"module {}"] * 2 + [b"module { own }"]
        assert len(list(store.root.rglob("*.zst"))) == 2

    def test_merging_again_changes_nothing(self, tmp_path: Path) -> None:
        parts, into = shards(tmp_path), tmp_path / "all"
        merge(parts, into)
        once = everything(into)
        merge(parts[::-1], into)
        finish(into)
        merge([*parts, into, into], into)
        assert everything(into) == once

    def test_the_order_of_arrival_does_not_matter(self, tmp_path: Path) -> None:
        parts = shards(tmp_path, n=4)
        merge(parts, tmp_path / "together")
        for part in parts[::-1]:
            merge([part], tmp_path / "apart")
        assert everything(tmp_path / "apart") == everything(tmp_path / "together")

    def test_planned_and_never_started_is_a_record(self, tmp_path: Path) -> None:
        part = tmp_path / "shard-1"
        plan(part, FLEET[:3], (1, 2), len(FLEET))
        ran(part, FLEET[:1])
        merge([part, *shards(tmp_path / "b")[1:]], tmp_path / "all")
        records = {r.identity.model: r for r in read_merged(tmp_path / "all")[1]}
        silent = records["resnet50"]
        assert silent.outcome is Outcome.NOT_RUN
        assert silent.model_status is ModelStatus.NOT_STARTED
        assert silent.nodeid == nodeid(FLEET[2])
        assert silent.failure is not None
        assert silent.failure.message == "planned in shard 1 of 2 and never started"

    def test_a_shard_that_never_reported_is_a_sentence_with_its_tests(self, tmp_path: Path) -> None:
        parts = shards(tmp_path, n=4)
        header = merge([parts[0], parts[2]], tmp_path / "all")
        assert header.missing == (
            "shards 2, 4 of 4 never reported; 2 planned tests have no record",
        )
        assert header.planned == len(FLEET)
        assert header.shards == ((1, 4), (3, 4))

    def test_a_shard_may_arrive_late(self, tmp_path: Path) -> None:
        parts, into = shards(tmp_path), tmp_path / "all"
        assert merge(parts[:1], into).missing
        assert not merge(parts[1:], into).missing

    def test_a_shard_run_again_counts_and_the_first_attempt_is_kept(self, tmp_path: Path) -> None:
        first, again, into = tmp_path / "1", tmp_path / "1-again", tmp_path / "all"
        plan(first, FLEET, (1, 1))
        ran(first, FLEET, None)
        plan(again, FLEET[:4], (1, 1), created=STARTED + 1000)
        ran(again, FLEET[:4], Outcome.PASSED, at=STARTED + 1000)
        merge([again, first], into)
        records = read_merged(into)[1]
        assert [(r.attempt, r.outcome) for r in records if r.identity == FLEET[0]] == [
            (1, Outcome.CRASHED),
            (2, Outcome.PASSED),
        ]
        assert outcomes(into)["bert"] is Outcome.PASSED
        assert outcomes(into)["vit"] is Outcome.CRASHED
        assert read_plans(into)[0].created == STARTED + 1000

    def test_different_runs_are_refused(self, tmp_path: Path) -> None:
        plan(tmp_path / "a", FLEET[:1])
        plan(tmp_path / "b", FLEET[1:], run_id="another")
        with pytest.raises(PipelineError, match=r"different runs .*: another \(b\)|another \(b\)"):
            merge([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
        assert not (tmp_path / "all").exists()

    def test_journals_of_another_run_are_refused_too(self, tmp_path: Path) -> None:
        plan(tmp_path / "a", FLEET[:1])
        ran(tmp_path / "a", FLEET[:1], run_id="another")
        with pytest.raises(PipelineError, match="different runs"):
            finish(tmp_path / "a")

    def test_nothing_at_all_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(PipelineError, match="neither a plan nor a journal"):
            merge([tmp_path / "nowhere"], tmp_path / "all")

    def test_an_empty_artifact_is_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        header = merge([*shards(tmp_path), tmp_path / "empty"], tmp_path / "all")
        assert header.missing == ("empty: there is neither a plan nor a journal",)


class TestOneRun:
    def test_it_is_merged_into_itself(self, tmp_path: Path) -> None:
        plan(tmp_path, FLEET)
        ran(tmp_path, FLEET[:2])
        ran(tmp_path, FLEET[2:3], None, at=STARTED + 500)
        header = finish(tmp_path)
        assert header.shards == ((1, 1),)
        assert outcomes(tmp_path) == {
            "bert": Outcome.PASSED,
            "gpt2": Outcome.PASSED,
            "resnet50": Outcome.CRASHED,
            "t5": Outcome.NOT_RUN,
            "vit": Outcome.NOT_RUN,
        }
        once = everything(tmp_path)
        assert finish(tmp_path) == header
        assert everything(tmp_path) == once

    def test_a_run_nobody_planned_has_what_it_recorded(self, tmp_path: Path) -> None:
        ran(tmp_path, FLEET[:2])
        header = finish(tmp_path)
        assert (header.session, header.created, header.planned) == ("", STARTED, 0)
        assert len(read_merged(tmp_path)[1]) == 2

    def test_a_test_that_nobody_planned_is_kept(self, tmp_path: Path) -> None:
        plan(tmp_path, FLEET[:1])
        ran(tmp_path, FLEET[:2])
        finish(tmp_path)
        assert set(outcomes(tmp_path)) == {"bert", "gpt2"}


class TestWhatDied:
    def test_every_cut_of_a_journal_leaves_a_word_for_every_test(self, tmp_path: Path) -> None:
        whole = tmp_path / "whole"
        plan(whole, FLEET)
        data = ran(whole, FLEET).read_bytes()
        for cut in range(0, len(data), 97):
            run_dir = tmp_path / f"cut-{cut}"
            plan(run_dir, FLEET)
            (run_dir / "journal").mkdir()
            (run_dir / "journal/torn.jsonl").write_bytes(data[:cut])
            header = finish(run_dir)
            found = outcomes(run_dir)
            assert set(found) == {t.model for t in FLEET}
            assert set(found.values()) <= {Outcome.PASSED, Outcome.CRASHED, Outcome.NOT_RUN}
            torn = bool(cut) and data[cut - 1 : cut] != b"\n" and data[cut : cut + 1] != b"\n"
            assert bool(header.missing) == torn
            assert all("torn.jsonl:" in sentence for sentence in header.missing)

    def test_a_torn_copy_gives_way_to_the_whole_one(self, tmp_path: Path) -> None:
        torn, whole, into = tmp_path / "torn", tmp_path / "whole", tmp_path / "all"
        plan(whole, FLEET)
        data = ran(whole, FLEET).read_bytes()
        shutil.copytree(whole, torn)
        (journal,) = (torn / "journal").iterdir()
        journal.write_bytes(data[:-40])
        for order in ([torn, whole], [whole, torn]):
            shutil.rmtree(into, ignore_errors=True)
            assert merge(order, into).missing == ()
            assert len(list((into / "journal").iterdir())) == 1

    def test_two_journals_of_one_name_are_both_kept(self, tmp_path: Path) -> None:
        parts = shards(tmp_path)
        for part in parts:
            (journal,) = (part / "journal").iterdir()
            journal.rename(journal.with_name("host-1-ab.jsonl"))
        merge(parts, tmp_path / "all")
        merge(parts, tmp_path / "all")
        assert len(list((tmp_path / "all/journal").iterdir())) == 2
        assert len(outcomes(tmp_path / "all")) == len(FLEET)

    def test_a_plan_nobody_can_read_is_a_sentence_and_its_records_survive(
        self, tmp_path: Path
    ) -> None:
        parts = shards(tmp_path)
        (parts[1] / "plan-2-of-2.json").write_bytes(b'{"schema": 1')
        header = merge(parts, tmp_path / "all")
        lost, absent = header.missing
        assert lost.startswith("shard-2: its plan is lost: ")
        assert absent.startswith("shard 2 of 2 never reported")
        assert len(outcomes(tmp_path / "all")) == len(FLEET)

    def test_a_journal_of_a_newer_schema_is_a_sentence(self, tmp_path: Path) -> None:
        parts = shards(tmp_path)
        newer = JournalOpened(time=0.0, schema=99, run_id=RUN_ID, provenance=PROVENANCE)
        (journal,) = (parts[1] / "journal").iterdir()
        journal.write_bytes(msgspec.json.encode(newer) + b"\n")
        (sentence,) = merge(parts, tmp_path / "all").missing
        assert "shard-2: a journal is lost: " in sentence
        assert "schema 99" in sentence

    def test_its_own_run_of_a_newer_schema_is_refused(self, tmp_path: Path) -> None:
        plan(tmp_path, FLEET)
        (tmp_path / "plan.json").write_bytes(b'{"schema": 99}')
        with pytest.raises((PipelineError, RecordError), match="schema 99"):
            finish(tmp_path)


def test_reproducers_come_along(tmp_path: Path) -> None:
    one, two = shards(tmp_path)
    for shard, name in ((one, "00ff-cpu"), (two, "bert-full-eval-n150")):
        (shard / "repro" / name).mkdir(parents=True)
        (shard / "repro" / name / "expected.json").write_text(name)
    merge([one, two], tmp_path / "all")
    merge([one, two], tmp_path / "all")  # again
    kept = {n: d for n, d in everything(tmp_path / "all").items() if n.startswith("repro/")}
    assert kept == {
        "repro/00ff-cpu/expected.json": b"00ff-cpu",
        "repro/bert-full-eval-n150/expected.json": b"bert-full-eval-n150",
    }


class TestHostileShards:
    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        path = tmp_path / "secret"
        path.write_text("do not publish")
        return path

    def test_links_are_never_followed(self, tmp_path: Path, secret: Path) -> None:
        good, evil, into = *shards(tmp_path), tmp_path / "all"
        (evil / "journal/x.jsonl").symlink_to(secret)
        artifacts = evil / "blobs"
        (artifacts / "ab").mkdir(parents=True)
        (artifacts / "ab" / f"ab{'0' * 62}.zst").symlink_to(secret)
        (artifacts / "cd").symlink_to(secret.parent)
        (evil / "repro/key").mkdir(parents=True)
        (evil / "repro/key/inputs.bin").symlink_to(secret)
        header = merge([good, evil], into)
        assert len(header.missing) == 4
        assert all("not a" in sentence for sentence in header.missing)
        assert all(b"do not publish" not in data for data in everything(into).values())
        assert not any(path.is_symlink() for path in into.rglob("*"))

    @pytest.mark.parametrize("name", ["journal", "blobs"])
    def test_a_linked_folder_is_never_entered(self, tmp_path: Path, name: str) -> None:
        good, evil = shards(tmp_path)
        elsewhere = tmp_path / "elsewhere"
        ran(elsewhere, [identity("stolen", "cpu")])
        ArtifactStore(elsewhere).put("stolen", "ttir")
        shutil.rmtree(evil / name, ignore_errors=True)
        (evil / name).symlink_to(elsewhere / name)
        header = merge([good, evil], tmp_path / "all")
        assert f"shard-2: {name} is not a folder" in header.missing
        assert "stolen" not in outcomes(tmp_path / "all")
        assert not (tmp_path / "all/blobs").exists()

    def test_a_linked_plan_is_never_read(self, tmp_path: Path) -> None:
        good, evil = shards(tmp_path)
        plan(tmp_path / "elsewhere", [identity("stolen", "cpu")], (2, 2))
        (evil / "plan-2-of-2.json").unlink()
        (evil / "plan-2-of-2.json").symlink_to(tmp_path / "elsewhere/plan-2-of-2.json")
        header = merge([good, evil], tmp_path / "all")
        assert "stolen" not in outcomes(tmp_path / "all")
        assert "shard-2: 'plan-2-of-2.json' is not a regular file" in header.missing

    def test_a_pipe_does_not_hang_it(self, tmp_path: Path) -> None:
        good, evil = shards(tmp_path)
        os.mkfifo(evil / "journal/pipe.jsonl")
        assert (
            "'pipe.jsonl' is not a regular file" in merge([good, evil], tmp_path / "all").missing[0]
        )

    def test_names_that_no_run_gives_out_are_left_behind(self, tmp_path: Path) -> None:
        good, evil, into = *shards(tmp_path), tmp_path / "all"
        for name in ("journal/a b.jsonl", "journal/é.jsonl", "journal/run.sh", "evil.sh"):
            (evil / name).write_text("{}\n")
        (evil / "blobs/00").mkdir(parents=True)
        for name in ("x.zst", f"{'f' * 64}.zst", f"{'0' * 64}.zst.sh"):
            (evil / "blobs/00" / name).write_text("x")
        merge([good, evil], into)
        assert {name.partition("/")[0] for name in everything(into)} == {
            "journal",
            "plan-1-of-2.json",
            "plan-2-of-2.json",
            "records.jsonl.zst",
            "run.json",
        }
        assert len(list((into / "journal").iterdir())) == 2

    @pytest.mark.parametrize("shard", [(0, 2), (3, 2), (-1, -1), (1, 10**9)])
    def test_a_shard_that_cannot_be_is_not_believed(
        self, tmp_path: Path, shard: tuple[int, int]
    ) -> None:
        good, evil = shards(tmp_path)
        plan(evil, FLEET, shard)
        header = merge([good, evil], tmp_path / "all")
        assert f"calls itself shard {shard[0]} of {shard[1]}" in header.missing[0]


def test_the_latest_attempt_is_the_one_that_counts() -> None:
    def attempt(number: int, outcome: Outcome) -> TestRecord:
        return TestRecord(
            identity=FLEET[0],
            nodeid="",
            outcome=outcome,
            status=Status.NOT_STARTED,
            model_status=ModelStatus.UNKNOWN,
            attempt=number,
        )

    tries = [attempt(2, Outcome.PASSED), attempt(1, Outcome.CRASHED)]
    assert [r.outcome for r in latest(tries)] == [Outcome.PASSED]


def test_a_journal_that_came_packed_stays_as_it_came(tmp_path: Path) -> None:
    sources = shards(tmp_path)
    for source in sources:
        pack_journals(source)
    came = {p.name: p.read_bytes() for s in sources for p in (s / "journal").iterdir()}
    merge(sources, tmp_path / "into")
    assert {p.name: p.read_bytes() for p in (tmp_path / "into" / "journal").iterdir()} == came
    before = everything(tmp_path / "into")
    merge(sources, tmp_path / "into")
    assert everything(tmp_path / "into") == before
