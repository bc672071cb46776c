# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs go in once and come out as they were: in any order, from many processes, after a kill."""

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec
import pytest
import zstandard

from bringup.harness.records.schema import Failure, Outcome, Stage, StageResult, Status
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.history.store import history as store
from bringup.pipeline.history.store.history import MOST_LOOSE, History
from bringup.pipeline.history.store.read import (
    first_op_failures,
    mass_failures,
    op_counts,
    op_samples,
    samples,
)
from bringup.pipeline.history.store.story import story
from bringup.pipeline.history.store.upkeep import prune, rebuild, verify
from tests.unit import run_builder as made
from tests.unit.pipeline.history.store.made_runs import DAY, OP_TEST, night, op_night


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(str(tmp_path / "history"))


def files(history: History) -> dict[str, int]:
    return history.place.sizes()


def test_a_store_that_is_not_there_is_empty(history: History) -> None:
    assert history.runs() == [] and samples(history) == [] and verify(history) == []


def test_a_run_comes_out_as_it_went_in(history: History, tmp_path: Path) -> None:
    bad = made.record(made.identity("vit"), Outcome.FAILED, Status.CONVERTED_TO_STABLE_HLO)
    good = made.record()
    run = history.add(night(tmp_path, 0, [good, bad], missing=("shard 2 of 2 never reported",)))
    assert history.runs() == [run]
    assert (run.run, run.session, run.created) == ("nightly-000", "nightly", made.STARTED)
    assert run.missing == ("shard 2 of 2 never reported",)
    first, second = samples(history)
    assert first == Sample(
        run="nightly-000",
        at=made.STARTED,
        test=good.identity.key,
        device="n150",
        outcome=Outcome.PASSED,
        status=7,
        passed=1,
        pcc=0.99998712,
        seconds=31.25,
        memory=good.peak_rss,
        versions=first.versions,
        list_name="nightly_full_model_execute",
        nodeid=good.nodeid,
    )
    assert run.versions[first.versions].versions == made.PROVENANCE.versions
    assert run.versions[first.versions].git_commit == made.PROVENANCE.git_commit
    assert (second.test, second.outcome, second.stage) == (
        bad.identity.key,
        Outcome.FAILED,
        Stage.COMPILE,
    )
    assert (second.passed, second.failed, second.pcc) == (0, 1, None)
    assert "stablehlo.fft" in second.message
    kept = story(history, bad.identity.key).attempts[0]
    assert [s.stage for s in kept.stages] == [s.stage for s in bad.stages]
    assert kept.stages[0].wall_ms == 400 and kept.stages[-1].wall_ms is None


def test_the_same_run_twice_is_once(history: History, tmp_path: Path) -> None:
    run_dir = night(tmp_path, 0)
    history.add(run_dir)
    before = files(history)
    history.add(run_dir)
    assert files(history) == before and len(samples(history)) == 1


def test_a_resumed_run_takes_the_place_of_what_it_was(history: History, tmp_path: Path) -> None:
    stopped = made.record(outcome=Outcome.KILLED)
    first = night(tmp_path / "a", 0, [stopped])
    again = night(tmp_path / "b", 0, [stopped, made.record(attempt=2, started=made.STARTED + 99)])
    for order in ([first, again], [again, first]):
        other = History(str(tmp_path / str(len(list(tmp_path.iterdir())))))
        for run_dir in order:
            other.add(run_dir)
        (sample,) = samples(other)
        assert sample.outcome is Outcome.PASSED and len(other.runs()) == 1
        (earlier, later) = story(other, sample.test).attempts
        assert earlier.outcome is Outcome.KILLED and not earlier.last and later.last


def test_runs_are_in_the_order_of_their_own_time(history: History, tmp_path: Path) -> None:
    for n in (5, 1, 3):
        history.add(night(tmp_path, n))
    assert [run.run for run in history.runs()] == ["nightly-001", "nightly-003", "nightly-005"]
    assert [s.at for s in samples(history)] == [made.STARTED + n * DAY for n in (1, 3, 5)]


def test_any_order_and_any_folding_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = [op_night(tmp_path, n, [made.op_result(i) for i in range(n % 4)]) for n in range(10)]
    nights[7] = night(tmp_path / "resumed", 7, [made.record(), made.record(attempt=2)])
    found = []
    for name, most in (("a", 3), ("b", 5), ("c", 1000)):
        monkeypatch.setattr(store, "MOST_LOOSE", most)
        history = History(str(tmp_path / name))
        order = random.Random(name).sample(nights, len(nights))
        for run_dir in order:
            history.add(run_dir)
        assert verify(history) == []
        assert (len(history.index().containers) < 10) == (most < 1000)
        found.append((history.runs(), samples(history), op_samples(history)))
    assert found[0] == found[1] == found[2] and len(found[0][0]) == 10


def test_processes_that_add_at_once_lose_nothing(history: History, tmp_path: Path) -> None:
    nights = [night(tmp_path, n) for n in range(9)]
    code = (
        "import sys; from pathlib import Path; "
        "from bringup.pipeline.history.store import history as store; store.MOST_LOOSE = 3\n"
        "for d in sys.argv[2:]: store.History(sys.argv[1]).add(Path(d))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, history.address, *map(str, part)])
        for part in (nights[:6], nights[3:])
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert [run.run for run in history.runs()] == [d.name for d in nights]
    assert len(samples(history)) == 9 and verify(history) == []


def test_a_process_killed_while_it_adds_leaves_nothing_that_counts(
    history: History, tmp_path: Path
) -> None:
    history.add(night(tmp_path, 0))
    before = samples(history)
    run_dir = night(tmp_path, 1)
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "from bringup.pipeline.history.store import place, history\n"
        "put = place.Folder.put\n"
        "def last_words(self, name, data):\n"
        "    if name.startswith('index/'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    put(self, name, data)\n"
        "place.Folder.put = last_words\n"
        "history.History(sys.argv[1]).add(Path(sys.argv[2]))"
    )
    done = subprocess.run([sys.executable, "-c", code, history.address, str(run_dir)], check=False)
    assert done.returncode == -9
    assert samples(history) == before and verify(history) == []
    left = len(files(history))
    history.add(run_dir)
    assert len(samples(history)) == 2
    prune(history, made.STARTED)
    assert len(samples(history)) == 2 and len(files(history)) <= left + 1


@pytest.mark.parametrize("damage", ["cut", "gone", "noise", "header"])
def test_a_torn_file_is_named_and_written_anew(
    history: History, tmp_path: Path, damage: str
) -> None:
    for n in range(3):
        history.add(night(tmp_path, n))
    before = samples(history), history.runs()
    name = next(
        n
        for n in sorted(files(history))
        if n.startswith("index/" if damage == "header" else "data/")
    )
    path = Path(history.address) / name
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes(len(data)) if damage == "noise" else data[: len(data) // 2])
    with pytest.raises(HistoryError, match=path.name):
        samples(history)
    (sentence,) = verify(history)
    assert path.name in sentence
    assert rebuild(history, [tmp_path]) == []
    assert (samples(history), history.runs()) == before and verify(history) == []


def test_a_run_whose_directory_is_gone_stays_lost_until_it_is_forgotten(
    history: History, tmp_path: Path
) -> None:
    history.add(night(tmp_path / "a", 0))
    (torn,) = [n for n in files(history) if n.startswith("data/")]
    (Path(history.address) / torn).write_bytes(b"")
    history.add(night(tmp_path / "b", 1))
    (said,) = rebuild(history, [tmp_path / "b"])
    assert "still lost: nightly-000" in said
    with pytest.raises(HistoryError, match="nightly-000"):
        history.runs()
    assert rebuild(history, [tmp_path / "b"], forget=True) == []
    assert [run.run for run in history.runs()] == ["nightly-001"]


def test_a_store_of_run_directories_is_the_store(history: History, tmp_path: Path) -> None:
    for n in (2, 0, 1):
        history.add(op_night(tmp_path / "runs", n, [made.op_result(0), made.op_result(1)]))
    other = History(str(tmp_path / "other"))
    assert rebuild(other, [tmp_path / "runs"]) == []
    assert other.runs() == history.runs()  # their states are digests of all that is kept
    assert samples(other) == samples(history) and op_samples(other) == op_samples(history)


def test_a_newer_store_is_refused(history: History, tmp_path: Path) -> None:
    history.add(night(tmp_path, 0))
    (path,) = (Path(history.address) / "index").iterdir()
    container = msgspec.json.decode(path.read_bytes())
    data = msgspec.json.encode({**container, "schema": 99, "runs": "otherwise now"})
    path.unlink()
    (path.parent / f"{hashlib.sha256(data).hexdigest()[:32]}.json").write_bytes(data)
    for ask in (history.runs, lambda: history.add(night(tmp_path, 1)), lambda: verify(history)):
        with pytest.raises(HistoryError, match="history schema 99, this version reads up to"):
            ask()


def test_whatever_a_record_says_is_kept_as_text(history: History, tmp_path: Path) -> None:
    hostile = "'; DROP TABLE x; --\n\"\\ \x00 \ud800 \u2028 {} $1"
    bad = made.record(made.identity("it's[a]'"), Outcome.FAILED, message=hostile)
    history.add(night(tmp_path, 0, [bad]))
    (sample,) = samples(history, tests=[bad.identity.key])
    assert sample.message == hostile.replace("\x00", "\\x00").replace("\ud800", "\\ud800")


# --- what is no evidence --------------------------------------------------------------------


def test_what_says_nothing_of_the_model_is_excluded(history: History, tmp_path: Path) -> None:
    def of(model: str, outcome: Outcome = Outcome.PASSED, at: float = 0, **fields: object):  # type: ignore[no-untyped-def]
        started = made.STARTED + at
        return made.record(made.identity(model), outcome, started=started, **fields)

    unexecuted = {"status": Status.CONVERTED_TO_STABLE_HLO}
    history.add(
        night(
            tmp_path,
            0,
            [
                of("infra", Outcome.INFRA),
                of("skipped", Outcome.SKIPPED),
                of("unverified", Outcome.UNVERIFIED),
                of("empty", outputs=()),
                of("part", only_op=3),
                of("slow", Outcome.TIMEOUT, 1, **unexecuted),
                of("probe", at=2),
                of("hung", Outcome.TIMEOUT, 3, **unexecuted),
                of("after", Outcome.FAILED, 4, **unexecuted),
            ],
        )
    )
    why = {s.test.partition("[")[0]: s.excluded for s in samples(history)}
    assert why == {
        "infra": Excluded.MACHINE,
        "skipped": Excluded.SKIPPED,
        "unverified": Excluded.UNCOMPARED,
        "empty": Excluded.UNCOMPARED,
        "part": Excluded.PARTIAL,
        "slow": Excluded.NONE,
        "probe": Excluded.NONE,
        "hung": Excluded.SUSPECT_DEVICE,
        "after": Excluded.SUSPECT_DEVICE,
    }


def test_a_night_on_which_nearly_all_fails_is_no_evidence(history: History, tmp_path: Path) -> None:
    def tests(bad: int) -> list[object]:
        words = [Outcome.FAILED if i < bad else Outcome.PASSED for i in range(20)]
        return [made.record(made.identity(f"m{i}"), word) for i, word in enumerate(words)]

    for n, bad in enumerate([1, 2, 17, 1]):
        history.add(night(tmp_path, n, tests(bad)))  # type: ignore[arg-type]
    found = {(s.run, s.excluded) for s in samples(history) if s.excluded}
    assert found == {("nightly-002", Excluded.MASS_FAILURE)}
    always = History(str(tmp_path / "always"))
    for n in range(3):
        always.add(night(tmp_path / "other", n, tests(18)))  # type: ignore[arg-type]
    assert mass_failures(always.runs()) == set()


def test_three_files_than_usual_is_partial(history: History, tmp_path: Path) -> None:
    for n, depth in enumerate(["EXECUTE", "EXECUTE", "STABLEHLO"]):
        history.add(night(tmp_path, n, [made.record(depth=depth)]))
    assert [s.excluded for s in samples(history)] == ["", "", Excluded.PARTIAL]


@pytest.mark.parametrize(
    ("stages", "excluded"),
    [
        ([(Stage.STABLEHLO, True), (Stage.COMPILE, True)], Excluded.CACHED),
        ([(Stage.STABLEHLO, False), (Stage.COMPILE, True), (Stage.GOLDEN, False)], Excluded.CACHED),
        ([(Stage.STABLEHLO, True)], Excluded.CACHED),
        ([(Stage.STABLEHLO, True), (Stage.COMPILE, False)], Excluded.NONE),
        ([(Stage.EXPORT, False)], Excluded.NONE),
        ([(Stage.COMPILE, True), (Stage.EXECUTE, False), (Stage.VERIFY, False)], Excluded.NONE),
    ],
)
def test_what_an_earlier_run_compiled_is_no_evidence(
    history: History, tmp_path: Path, stages: list[tuple[Stage, bool]], excluded: Excluded
) -> None:
    results = tuple(
        StageResult(stage, ok=True, attributes={"cached from": "night"} if kept else {})
        for stage, kept in stages
    )
    record = msgspec.structs.replace(made.record(outcome=Outcome.REACHED), stages=results)
    history.add(night(tmp_path, 0, [record]))
    assert [(s.excluded, s.passed) for s in samples(history)] == [
        (excluded, int(excluded is Excluded.NONE))
    ]


def test_verdicts_of_the_cache_are_no_evidence(history: History, tmp_path: Path) -> None:
    history.add(op_night(tmp_path, 0, [made.op_result(0, hit=True), made.op_result(1, hit=True)]))
    history.add(op_night(tmp_path, 1, [made.op_result(0, hit=True), made.op_result(1)]))
    found = [(s.excluded, s.passed) for s in samples(history, tests=[OP_TEST.key])]
    assert found == [(Excluded.CACHED, 0), (Excluded.NONE, 1)]


# --- ops, texts, names ----------------------------------------------------------------------


def test_ops_are_known_by_key_and_their_changes_are_told(history: History, tmp_path: Path) -> None:
    good, bad = made.op_result(0), made.op_result(1, Status.NOT_STARTED, Outcome.FAILED)
    for n, results in enumerate([[good], [good, bad], [good, bad], [good, made.op_result(1)]]):
        history.add(op_night(tmp_path, n, results))
    told = story(history, OP_TEST.key)
    changes = [(s.op_key == bad.verdict.op.key, s.run, s.outcome) for s in told.op_changes]
    assert sorted(changes) == [
        (False, "nightly-000", Outcome.PASSED),
        (True, "nightly-001", Outcome.FAILED),
        (True, "nightly-003", Outcome.PASSED),
    ]
    assert [s.outcome for s in told.samples] == ["PASSED", "FAILED", "FAILED", "PASSED"]
    assert [(s.passed, s.failed) for s in told.samples] == [(1, 0), (0, 1), (0, 1), (1, 0)]
    assert told.samples[1].failed_op == bad.verdict.op.name
    only = op_samples(history, history.runs()[1:2], only_bad=True)
    assert [(s.run, s.fingerprint) for s in only] == [
        ("nightly-001", "1|compile|stablehlo.fft|no legal lowering")
    ]


def test_a_renamed_test_goes_on(history: History, tmp_path: Path) -> None:
    history.add(night(tmp_path, 0, [made.record(made.identity("old"))]))
    history.add(night(tmp_path, 1, [made.record(made.identity("new"))]))
    aliases = {"old[full-eval]": "new[full-eval]"}
    for found in (
        samples(history, aliases=aliases),
        samples(history, tests=["new[full-eval]@n150"], aliases=aliases),
        list(story(history, "new[full-eval]@n150", aliases).samples),
    ):
        assert [(s.test, s.run) for s in found] == [
            ("new[full-eval]@n150", "nightly-000"),
            ("new[full-eval]@n150", "nightly-001"),
        ]


def test_texts_of_what_failed_are_shared_and_go_with_the_last_run_that_has_them(
    history: History, tmp_path: Path
) -> None:
    for n in range(3):
        run_dir = tmp_path / f"nightly-{n:03}"
        run_dir.mkdir()
        shared, own = (
            made.keep(run_dir, "module {}"),
            made.keep(run_dir, f"night {n}", "diagnostic"),
        )
        failure = Failure(Stage.COMPILE, "FAILED", "no", own)
        bad = made.record(
            outcome=Outcome.FAILED,
            stages=made.stages(Stage.COMPILE, ok=False, artifacts=[shared]),
            failure=failure,
        )
        fine = made.keep(run_dir, "of a test that passed")
        good = made.record(made.identity("ok"), stages=made.stages(artifacts=[fine]))
        history.add(night(tmp_path, n, [bad, good]))
    texts = [n for n in files(history) if n.startswith("texts/")]
    assert len(texts) == 4
    gone = prune(history, made.STARTED + 2 * DAY, days=1.5)
    assert [run.run for run in gone] == ["nightly-000"]
    left = {
        zstandard.decompress((Path(history.address) / n).read_bytes())
        for n in files(history)
        if n.startswith("texts/")
    }
    assert left == {b"module {}", b"night 1", b"night 2"}
    assert [s.run for s in samples(history, tests=[bad.identity.key])] == [
        "nightly-001",
        "nightly-002",
    ]
    assert verify(history) == []


def test_a_store_that_is_too_large_forgets_the_oldest(history: History, tmp_path: Path) -> None:
    for n in range(12):
        history.add(night(tmp_path, n))
    size = sum(files(history).values())
    gone = prune(history, made.STARTED, largest=size // 2)
    left = [run.run for run in history.runs()]
    assert sum(files(history).values()) <= size // 2
    assert [run.run for run in gone] + left == [f"nightly-{n:03}" for n in range(12)] and left
    prune(history, made.STARTED, largest=1)
    assert [run.run for run in history.runs()] == ["nightly-011"]


# --- older schemas --------------------------------------------------------------------------


def as_first_schema(history: History) -> None:
    """Every container as schema 1 had it: without `mark` and `incorrect`."""
    folder = Path(history.address)
    for header in list((folder / "index").glob("*.json")):
        container = json.loads(header.read_bytes())
        for table, file in container["files"].items():
            path = folder / file["name"]
            gone = "mark, incorrect" if table == "attempts" else "mark"
            older = f"SELECT * EXCLUDE ({gone}) FROM '{path}'"
            duckdb.sql(f"COPY ({older}) TO '{path}.old' (FORMAT parquet)")
            (folder / f"{file['name']}.old").replace(path)
            file |= {
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        data = json.dumps({**container, "schema": 1}).encode()
        header.unlink()
        (folder / "index" / f"{hashlib.sha256(data).hexdigest()[:32]}.json").write_bytes(data)


def test_a_store_of_the_first_schema_is_read_beside_new_runs_and_goes_on(
    history: History, tmp_path: Path
) -> None:
    bad = made.op_result(1, Status.NOT_STARTED, Outcome.FAILED)
    for n in range(2):
        history.add(op_night(tmp_path, n, [made.op_result(0), bad]))
    before = samples(history), op_samples(history, only_bad=True)
    assert all(s.fingerprint for s in before[1])
    (counted,) = op_counts(history).values()
    assert counted == {"nightly-000": (2, 1), "nightly-001": (2, 1)}
    assert op_counts(history, history.runs()[1:]) == {bad.verdict.op.name: {"nightly-001": (2, 1)}}
    as_first_schema(history)
    old = History(history.address)
    assert (samples(old), op_samples(old, only_bad=True)) == before
    seen = first_op_failures(old, old.runs(), {bad.verdict.op.key})
    assert {mark: moment.run for mark, moment in seen.items()} == {
        before[1][0].fingerprint: "nightly-000"
    }
    for n in range(2, 2 + MOST_LOOSE):  # until old and new are folded into one
        old.add(op_night(tmp_path, n, [made.op_result(0), bad]))
    assert verify(old) == []
    assert len({s.fingerprint for s in op_samples(old, only_bad=True)}) == 1
    assert len(old.runs()) == 2 + MOST_LOOSE and len(old.index().containers) < MOST_LOOSE
