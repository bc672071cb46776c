# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Records: nothing written is lost, silence has a meaning, foreign versions are refused."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records import provenance, schema
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.fold import fold
from bringup.harness.records.journal import JournalWriter, read_journal
from bringup.harness.records.naming import (
    entry_of,
    identity_of,
    identity_of_key,
    nodeid_on,
)
from bringup.harness.records.provenance import collect
from bringup.harness.records.run_dir import load_journals, read_merged, write_merged
from bringup.harness.records.schema import (
    SCHEMA_VERSION,
    Artifact,
    Failure,
    Identity,
    Metric,
    MetricState,
    ModelStatus,
    Outcome,
    Stage,
    StageEnded,
    StageResult,
    StageStarted,
    Status,
    TestEnded,
    TestStarted,
    TestStopped,
)

NET = Identity(model="net", device="cpu")


def started(attempt: int = 1, at: float = 1.0, identity: Identity = NET) -> TestStarted:
    return TestStarted(
        time=at, identity=identity, nodeid="t.py::test_net[full-eval]", pid=1, attempt=attempt
    )


def stage_ended(stage: Stage, status: Status, at: float = 2.0, ok: bool = True) -> StageEnded:
    failure = None if ok else Failure(stage, "ValueError", "no")
    result = StageResult(stage=stage, ok=ok, wall_s=0.5)
    return StageEnded(time=at, key=NET.key, result=result, status=status, failure=failure)


def only(events: list[schema.AnyEvent]) -> schema.TestRecord:
    (record,) = fold([(event, "j") for event in events])
    return record


def test_a_test_that_never_ended_is_a_crash_in_the_stage_written_ahead() -> None:
    record = only(
        [
            started(),
            stage_ended(Stage.STABLEHLO, Status.CONVERTED_TO_STABLE_HLO),
            StageStarted(time=3.0, key=NET.key, stage=Stage.COMPILE),
        ]
    )
    assert record.outcome is Outcome.CRASHED
    assert record.failure is not None and record.failure.stage is Stage.COMPILE
    assert record.status is Status.CONVERTED_TO_STABLE_HLO
    assert record.model_status is ModelStatus.FAILED_TTMLIR_COMPILATION
    assert [s.stage for s in record.stages] == [Stage.STABLEHLO, Stage.COMPILE]
    assert record.stages[-1].wall_s is None and not record.stages[-1].ok


def test_the_supervisors_word_beats_silence_but_not_the_tests_own() -> None:
    stopped = TestStopped(
        time=9.0,
        key=NET.key,
        outcome=Outcome.TIMEOUT,
        failure=Failure(None, "TIMEOUT", "ran past 900 s"),
    )
    silent = only([started(), StageStarted(time=2.0, key=NET.key, stage=Stage.EXPORT), stopped])
    assert silent.outcome is Outcome.TIMEOUT
    assert silent.failure is not None and silent.failure.stage is Stage.EXPORT
    spoke = only([started(), TestEnded(time=3.0, key=NET.key, outcome=Outcome.REACHED), stopped])
    assert spoke.outcome is Outcome.REACHED


def test_a_test_that_was_planned_and_never_started_has_a_record() -> None:
    stopped = TestStopped(
        time=9.0,
        key="net[full-eval]@n150",
        outcome=Outcome.NOT_RUN,
        failure=Failure(None, "NOT_RUN", "interrupted"),
    )
    record = only([stopped])
    assert record.outcome is Outcome.NOT_RUN
    assert record.identity == Identity(model="net", device="n150")


def test_attempts_are_records_of_their_own() -> None:
    records = fold(
        [
            (started(1, at=1.0), "a"),
            (TestEnded(time=2.0, key=NET.key, outcome=Outcome.FAILED), "a"),
            (started(2, at=3.0), "b"),
            (TestEnded(time=4.0, key=NET.key, outcome=Outcome.PASSED), "b"),
        ]
    )
    assert [(r.attempt, r.outcome) for r in records] == [(1, Outcome.FAILED), (2, Outcome.PASSED)]


@pytest.mark.parametrize(
    ("outcome", "stage", "status", "expected"),
    [
        (Outcome.PASSED, None, Status.EXECUTED, ModelStatus.PASSED),
        (Outcome.INCORRECT, Stage.VERIFY, Status.EXECUTED, ModelStatus.INCORRECT_RESULT),
        (Outcome.FAILED, Stage.LOAD, Status.NOT_STARTED, ModelStatus.NOT_STARTED),
        (Outcome.FAILED, Stage.EXPORT, Status.NOT_STARTED, ModelStatus.FAILED_FE_COMPILATION),
        (Outcome.FAILED, Stage.STABLEHLO, Status(3), ModelStatus.FAILED_FE_COMPILATION),
        (Outcome.CRASHED, Stage.COMPILE, Status(5), ModelStatus.FAILED_TTMLIR_COMPILATION),
        (Outcome.TIMEOUT, Stage.EXECUTE, Status(6), ModelStatus.FAILED_RUNTIME),
        (Outcome.REACHED, None, Status(6), ModelStatus.UNKNOWN),
        (Outcome.INFRA, Stage.EXECUTE, Status(6), ModelStatus.UNKNOWN),
        (Outcome.NOT_RUN, None, Status.NOT_STARTED, ModelStatus.NOT_STARTED),
    ],
)
def test_model_status_comes_from_what_was_achieved(
    outcome: Outcome, stage: Stage | None, status: Status, expected: ModelStatus
) -> None:
    from bringup.harness.records.fold import model_status

    failure = Failure(stage, "x", "y") if stage else None
    assert model_status(outcome, status, failure) is expected


def test_a_journal_survives_sigkill_at_any_moment(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from bringup.harness.records.journal import JournalWriter\n"
        "from bringup.harness.records.provenance import collect\n"
        "from tests.unit.harness.records.test_records import stage_ended, started, Stage, Status\n"
        "w = JournalWriter(Path(sys.argv[1]), 'run', collect())\n"
        "w.append(started())\n"
        "print('ready', flush=True)\n"
        "while True: w.append(stage_ended(Stage.EXPORT, Status(1)))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    time.sleep(0.2)
    child.send_signal(signal.SIGKILL)
    child.wait()
    records, provenances, losses = load_journals(tmp_path)
    assert [r.outcome for r in records] == [Outcome.CRASHED]
    assert len(provenances) == 1
    assert len(losses) <= 1


def test_a_torn_last_line_is_tolerated_and_mentioned(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, "run", collect())
    writer.append(started())
    writer.append(TestEnded(time=2.0, key=NET.key, outcome=Outcome.PASSED))
    whole = writer.path.read_bytes()
    last = len(whole.splitlines()[-1]) + 1
    for cut in range(1, last):
        writer.path.write_bytes(whole[:-cut])
        events, torn = read_journal(writer.path)
        if cut == 1:  # only the newline is gone: the event is whole
            assert len(events) == 3 and not torn
        else:
            assert len(events) == 2
            assert torn == [f"{writer.path.name}:3: the last line is torn; its event is lost"]


def test_an_unreadable_middle_line_costs_that_line(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, "run", collect())
    writer.append(started())
    writer.append(TestEnded(time=2.0, key=NET.key, outcome=Outcome.PASSED))
    lines = writer.path.read_bytes().splitlines()
    writer.path.write_bytes(b"\n".join([lines[0], lines[1], b"\x00\xffgarbage", lines[2], b""]))
    records, _, losses = load_journals(tmp_path)
    assert [r.outcome for r in records] == [Outcome.PASSED]
    assert len(losses) == 1 and ":3: unreadable line skipped" in losses[0]


def test_a_newer_schema_is_refused_in_a_sentence(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, "run", collect())
    newer = writer.path.read_bytes().replace(b'"schema":%d' % SCHEMA_VERSION, b'"schema":99')
    writer.path.write_bytes(newer)
    with pytest.raises(RecordError, match=rf"schema 99, .* reads up to {SCHEMA_VERSION}; upgrade"):
        load_journals(tmp_path)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from bringup.harness.records.journal import JournalWriter\n"
        "from bringup.harness.records.provenance import collect\n"
        "from bringup.harness.errors import RecordError\n"
        "from tests.unit.harness.records.test_records import started\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "w = JournalWriter(Path(sys.argv[1]), 'run', collect())\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try:\n"
        "    while True: w.append(started())\n"
        "except RecordError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("cannot write the journal ")
    records, _, losses = load_journals(tmp_path)
    assert len(records) > 5, "what was written before stays readable"
    assert len(losses) <= 1


def test_blobs_are_kept_once_and_checked(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    first, second = store.put("module {}\n" * 1000, "ttir"), store.put("module {}\n" * 1000, "ttnn")
    assert first.sha256 == second.sha256
    assert store.get(first) == b"module {}\n" * 1000
    assert len(list((tmp_path / "blobs").rglob("*.zst"))) == 1
    assert store.path(first.sha256).stat().st_size < 200
    store.path(first.sha256).write_bytes(b"torn")
    with pytest.raises(RecordError, match="unreadable"):
        store.get(first)
    other = store.put("modulo {}\n" * 1000, "ttir")  # as long as the first, and another
    store.path(first.sha256).write_bytes(store.path(other.sha256).read_bytes())
    with pytest.raises(RecordError, match="does not match its name"):
        store.get(first)


def test_a_record_cannot_name_a_path(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is not a sha256 digest"):
        ArtifactStore(tmp_path).get(Artifact("ttir", "../../etc/passwd", 1))


@pytest.mark.parametrize(
    ("entry", "identity"),
    [
        ("tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-large-eval]",
         Identity("t5", "t5-large", "op_by_op_torch", "eval", "torch", "n150")),
        ("a.py::test_EfficientNet_onnx[full-eval]",
         Identity("EfficientNet", "", "full", "eval", "onnx", "n150")),
        ("a.py::test_vit[full-train]", Identity("vit", "", "full", "train", "torch", "n150")),
        ("a.py::test_plain", Identity("plain", "", "full", "eval", "torch", "n150")),
    ],
)  # fmt: skip
def test_an_id_says_what_the_test_is(entry: str, identity: Identity) -> None:
    assert identity_of(entry, "n150") == identity
    assert identity_of_key(identity.key) == identity
    assert entry_of(nodeid_on(entry, "n150"), "n150") == entry


def test_metrics_are_numbers_or_say_why_not() -> None:
    values = [0.994999999, float("nan"), float("inf"), float("-inf"), None]
    metrics = [Metric.of(v) for v in values]
    assert [m.state for m in metrics] == [
        MetricState.VALUE,
        MetricState.NAN,
        MetricState.POSITIVE_INFINITY,
        MetricState.NEGATIVE_INFINITY,
        MetricState.UNDEFINED,
    ]
    again = msgspec.json.decode(msgspec.json.encode(metrics), type=list[Metric])
    assert again == metrics


def test_a_merged_run_reads_back(tmp_path: Path) -> None:
    record = only([started(), TestEnded(time=2.0, key=NET.key, outcome=Outcome.PASSED)])
    header = schema.RunHeader(run_id="r", session="nightly", created=1.0, planned=1)
    write_merged(tmp_path, header, [record])
    assert read_merged(tmp_path) == (header, [record])
    (tmp_path / "records.jsonl").write_text('{"identity": 3}\n')
    with pytest.raises(RecordError, match=r"records\.jsonl:1: not a record"):
        read_merged(tmp_path)


def test_the_schema_exports_as_json_schema() -> None:
    exported = msgspec.json.schema(schema.AnyEvent)
    assert len(exported["anyOf"]) == len(schema.AnyEvent.__args__)
    assert "TestStarted" in exported["$defs"]


@pytest.mark.parametrize(
    ("file", "dirty"), [("new_model.py", True), ("results/night", False), ("a.pyc", False)]
)
def test_untracked_files_make_a_commit_dirty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, dirty: bool
) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / ".gitignore").write_text("/results/\n*.pyc\n")
    git("add", ".")
    git("commit", "-qm", "x")
    monkeypatch.chdir(tmp_path)
    for expected in (False, dirty):
        provenance._git.cache_clear()
        assert provenance.collect().git_dirty is expected
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("x")
    provenance._git.cache_clear()
