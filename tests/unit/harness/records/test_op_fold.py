# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops in journals: what every op came to, whatever became of the process that walked them."""

import json
from pathlib import Path

import pytest
from msgspec import structs
from msgspec.json import encode

from bringup.harness.errors import RecordError
from bringup.harness.records.fold import fold, fold_ops
from bringup.harness.records.journal import JournalWriter, journals, pack_journals
from bringup.harness.records.lean import Lean
from bringup.harness.records.packing import read_lines
from bringup.harness.records.recent import recent_ops
from bringup.harness.records.run_dir import OPS_NAME, load_journals, load_ops, read_merged, read_ops
from bringup.harness.records.schema import (
    AnyEvent,
    Failure,
    Identity,
    ModelStatus,
    OpEnded,
    OpResult,
    OpsFound,
    OpStarted,
    Outcome,
    Status,
    TestEnded,
    TestStarted,
    TestStopped,
)
from bringup.pipeline.results.merge import merge
from tests.unit.run_builder import PROVENANCE, STARTED, identity, op_result, record, write_run

TEST = identity("t5", flow="op_by_op_torch")
Pairs = list[tuple[AnyEvent, str]]


def begun(time: float = 0.0, journal: str = "a", test: Identity = TEST) -> Pairs:
    return [(TestStarted(time=time, identity=test, nodeid="x", pid=1), journal)]


def took(result: OpResult, time: float = 1.0, journal: str = "a") -> Pairs:
    key = result.verdict.op.key
    return [(OpStarted(time=time, key=TEST.key, op_key=key, index=result.index), journal)]


def did(result: OpResult, time: float = 2.0, journal: str = "a") -> Pairs:
    return [(OpEnded(time=time, key=TEST.key, result=result), journal)]


def ended(outcome: Outcome = Outcome.PASSED, time: float = 9.0, journal: str = "a") -> Pairs:
    return [(TestEnded(time=time, key=TEST.key, outcome=outcome), journal)]


def stopped(outcome: Outcome, time: float = 9.0) -> Pairs:
    word = Failure(None, outcome.value, "stopped")
    return [(TestStopped(time=time, key=TEST.key, outcome=outcome, failure=word), "supervisor")]


def found(total: int, time: float = 0.5, journal: str = "a") -> Pairs:
    return [(OpsFound(time=time, key=TEST.key, total=total), journal)]


def test_a_record_says_how_many_ops_were_found_whatever_was_begun() -> None:
    (killed,) = fold(begun() + found(41) + did(op_result(0)) + stopped(Outcome.KILLED))
    assert killed.ops_found == 41
    again = begun(10.0, "b") + ended(Outcome.INFRA, 11.0, "b")
    tries = fold(begun() + found(41) + stopped(Outcome.KILLED) + again)
    assert [one.ops_found for one in tries] == [41, 41]
    assert fold(begun() + ended())[0].ops_found == 0


def test_every_op_has_its_result_in_the_order_of_its_index() -> None:
    first, second = op_result(0), op_result(1)
    events = begun() + took(second) + took(first) + did(second) + did(first) + ended()
    assert fold_ops(events) == [(TEST.key, 1, first), (TEST.key, 1, second)]


@pytest.mark.parametrize(
    "outcome", [Outcome.CRASHED, Outcome.TIMEOUT, Outcome.KILLED, Outcome.INFRA]
)
def test_an_op_under_way_has_the_word_of_its_test(outcome: Outcome) -> None:
    ((_, _, result),) = fold_ops(begun() + took(op_result(3)) + stopped(outcome))
    assert (result.index, result.verdict.outcome) == (3, outcome)
    assert result.verdict.status is Status.NOT_STARTED
    assert result.verdict.failure is not None
    assert outcome.value in result.verdict.failure.message


def test_an_op_under_way_without_any_word_crashed() -> None:
    ((_, _, result),) = fold_ops(begun() + took(op_result(0)))
    assert result.verdict.outcome is Outcome.CRASHED


def test_an_op_left_open_by_a_test_that_ended_is_not_a_pass() -> None:
    ((_, _, result),) = fold_ops(begun() + took(op_result(0)) + ended())
    assert result.verdict.outcome is Outcome.CRASHED


def test_an_unfinished_op_is_known_by_what_another_model_finished() -> None:
    other = identity("vit", flow="op_by_op_torch")
    done = op_result(5)
    events = begun() + took(done) + begun(journal="b", test=other)
    events += [(OpEnded(time=2.0, key=other.key, result=done), "b")]
    names = {test: r.verdict.op.name for test, _, r in fold_ops(events)}
    assert names == {TEST.key: done.verdict.op.name, other.key: done.verdict.op.name}


def test_the_last_end_of_an_op_counts_and_a_later_start_opens_it_again() -> None:
    bad, good = op_result(0, outcome=Outcome.INFRA), op_result(0)
    events = begun() + took(bad) + did(bad) + took(good, 3.0) + did(good, 4.0)
    assert [r.verdict.outcome for *_, r in fold_ops(events)] == [Outcome.PASSED]
    ((_, _, again),) = fold_ops([*events, *took(good, 5.0)])
    assert again.verdict.outcome is Outcome.CRASHED


@pytest.mark.parametrize("first", [0, 1])
def test_of_several_ends_in_one_attempt_the_worst_counts(first: int) -> None:
    """Two testers of a test, or two graphs of a model, may give one op different values."""
    ends = [op_result(0, outcome=Outcome.INCORRECT), op_result(0)]
    one, other = ends[first], ends[1 - first]
    events = begun() + took(one) + did(one) + took(other, 3.0) + did(other, 4.0)
    assert [r.verdict.outcome for *_, r in fold_ops(events)] == [Outcome.INCORRECT]
    again = begun(10.0, "b") + did(op_result(0), 11.0, "b")
    assert [r.verdict.outcome for *_, r in fold_ops(events + again)][-1] is Outcome.PASSED


def test_ops_written_by_a_worker_belong_to_the_attempt_of_their_time() -> None:
    events = begun(0.0, "z") + begun(10.0, "b")
    events += did(op_result(0), 5.0, "worker") + did(op_result(1), 15.0, "worker")
    assert [(attempt, r.index) for _, attempt, r in fold_ops(events)] == [(1, 0), (2, 1)]


def test_the_status_of_a_test_is_the_lowest_of_its_ops_and_its_outcome_its_own() -> None:
    low = op_result(1, Status.CONVERTED_TO_STABLE_HLO, Outcome.FAILED)
    (made,) = fold(begun() + did(op_result(0)) + did(low) + ended())
    assert (made.outcome, made.status) == (Outcome.PASSED, Status.CONVERTED_TO_STABLE_HLO)
    assert made.model_status is ModelStatus.FAILED_TTMLIR_COMPILATION


@pytest.mark.parametrize(
    ("status", "outcome", "word"),
    [
        (Status.EXECUTED, Outcome.PASSED, ModelStatus.PASSED),
        (Status.EXECUTED, Outcome.INCORRECT, ModelStatus.INCORRECT_RESULT),
        (Status.CONVERTED_TO_TTNN, Outcome.REACHED, ModelStatus.UNKNOWN),
        (Status.CONVERTED_TO_TTNN, Outcome.FAILED, ModelStatus.FAILED_RUNTIME),
        (Status.CREATED_GRAPH, Outcome.FAILED, ModelStatus.FAILED_FE_COMPILATION),
    ],
)
def test_ops_that_agree_say_it_of_the_model(
    status: Status, outcome: Outcome, word: ModelStatus
) -> None:
    both = did(op_result(0, status, outcome)) + did(op_result(1, status, outcome))
    (made,) = fold(begun() + both + ended())
    assert (made.status, made.model_status) == (status, word)


def test_a_walk_that_was_cut_short_does_not_claim_what_nobody_saw() -> None:
    (made,) = fold(begun() + did(op_result(0)) + stopped(Outcome.KILLED))
    assert made.status is Status.NOT_STARTED


def test_a_resumed_test_counts_the_ops_of_both_attempts() -> None:
    low = op_result(0, Status.CONVERTED_TO_TTIR, Outcome.FAILED)
    events = begun(0.0, "z") + did(low, 1.0, "z")
    events += begun(10.0, "b") + did(op_result(1), 11.0, "b") + ended(time=12.0, journal="b")
    first, second = fold(events)
    assert (first.status, second.status) == (Status.NOT_STARTED, Status.CONVERTED_TO_TTIR)


# --- run directories --------------------------------------------------------------------------


def walked(run_dir: Path, run_id: str = "r1", *results: OpResult) -> Path:
    writer = JournalWriter(run_dir, run_id, PROVENANCE)
    for pairs in (begun(), *(did(r) for r in results), ended()):
        writer.append(pairs[0][0])
    writer.close()
    return run_dir


def test_a_merged_run_keeps_ops_beside_its_records(tmp_path: Path) -> None:
    walked(tmp_path / "a", "r1", op_result(0))
    merge([tmp_path / "a"], tmp_path / "m")
    assert [(line.test, line.result) for line in read_ops(tmp_path / "m")] == [
        (TEST.key, op_result(0))
    ]
    assert [*read_ops(tmp_path / "m")] == load_ops(tmp_path / "m")
    assert len(read_merged(tmp_path / "m")[1]) == 1


def test_ops_are_read_again_when_there_are_others(tmp_path: Path) -> None:
    walked(tmp_path, "r1", op_result(0))
    first = read_ops(tmp_path)
    assert read_ops(tmp_path) is first
    walked(tmp_path, "r1", op_result(1))
    assert [line.result for line in read_ops(tmp_path)] == [op_result(0), op_result(1)]
    for journal in [*journals(tmp_path)]:
        journal.unlink()
    assert not read_ops(tmp_path)


def test_merging_again_writes_the_same_bytes(tmp_path: Path) -> None:
    walked(tmp_path / "a", "r1", op_result(0), op_result(1))
    merge([tmp_path / "a"], tmp_path / "m")
    (journal,) = journals(tmp_path / "m")
    before = journal.read_bytes()
    merge([tmp_path / "a"], tmp_path / "m")
    assert [path.read_bytes() for path in journals(tmp_path / "m")] == [before]


def test_a_journal_is_packed_when_its_run_is_over(tmp_path: Path) -> None:
    walked(tmp_path / "a", "r1", *map(op_result, range(100)))
    (plain,) = journals(tmp_path / "a")
    merge([tmp_path / "a"], tmp_path / "m")
    (packed,) = journals(tmp_path / "m")
    assert packed.name == f"{plain.name}.zst"
    assert read_lines(packed) == plain.read_bytes()
    assert packed.stat().st_size * 5 < plain.stat().st_size
    merge([tmp_path / "m"], tmp_path / "again")
    assert read_ops(tmp_path / "again") == read_ops(tmp_path / "a")


def test_a_kill_while_packing_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    walked(tmp_path, "r1", *map(op_result, range(10)))
    (plain,) = journals(tmp_path)
    written, ops = plain.read_bytes(), load_ops(tmp_path)
    pack_journals(tmp_path)
    (packed,) = journals(tmp_path)
    plain.write_bytes(written)  # killed between writing the one and removing the other
    packed.with_name(f".{packed.name}-1-0a").write_bytes(packed.read_bytes()[:50])
    assert list(journals(tmp_path)) == [plain]
    assert load_ops(tmp_path) == ops
    pack_journals(tmp_path)
    assert list(journals(tmp_path)) == [packed]
    assert load_ops(tmp_path) == ops


def test_a_verdict_of_many_models_is_written_once(tmp_path: Path) -> None:
    op, other = op_result(0), op_result(0, Status.CREATED_GRAPH, Outcome.FAILED)
    walked(tmp_path, "r1", op, *[structs.replace(op, hit=True, count=n) for n in range(50)])
    (journal,) = journals(tmp_path)
    assert journal.read_bytes().count(op.verdict.op.name.encode()) == 1
    (line,) = load_ops(tmp_path)
    assert line.result == structs.replace(op, hit=True, count=49)
    walked(tmp_path / "b", "r1", op, other, other)
    assert [line.result for line in load_ops(tmp_path / "b")] == [other], "not the same verdict"


def test_a_reference_to_nothing_is_a_loss(tmp_path: Path) -> None:
    walked(tmp_path, "r1", op_result(0), op_result(0))
    (journal,) = journals(tmp_path)
    lines = [line for line in journal.read_bytes().splitlines(True) if b'"op_ended"' not in line]
    journal.write_bytes(b"".join(lines))
    assert load_ops(tmp_path) == []
    assert "refers to a verdict that is not in the journal" in load_journals(tmp_path)[2][0]


def test_a_run_without_ops_has_none(tmp_path: Path) -> None:
    walked(tmp_path / "a")
    merge([tmp_path / "a"], tmp_path / "m")
    assert not read_ops(tmp_path / "m")


def test_a_run_of_the_first_schema_is_read_and_upgraded(tmp_path: Path) -> None:
    """Written as version 1 did: every field, plain journals, an `ops.jsonl` beside them."""
    walked(tmp_path, "r1", op_result(0), op_result(1, outcome=Outcome.FAILED))
    merge([tmp_path], tmp_path)
    lines, (header, records) = read_ops(tmp_path), read_merged(tmp_path)
    for packed in list(journals(tmp_path)):
        plain = b"".join(map(as_version_1, read_lines(packed).splitlines()))
        packed.with_suffix("").write_bytes(plain)
        packed.unlink()
    (tmp_path / OPS_NAME).write_bytes(b"".join(as_version_1(encode(line)) for line in lines))
    old = json.loads((tmp_path / "run.json").read_bytes()) | {"schema": 1}
    (tmp_path / "run.json").write_text(json.dumps(old))
    assert (read_ops(tmp_path), read_merged(tmp_path)[1]) == (lines, records)
    merge([tmp_path], tmp_path)
    assert not (tmp_path / OPS_NAME).exists()
    assert (read_ops(tmp_path), read_merged(tmp_path)) == (lines, (header, records))


def as_version_1(line: bytes) -> bytes:
    """A line as schema 1 wrote it: what has its default is there."""
    found = json.loads(line)
    if found.get("event") == "journal_opened":
        found["schema"] = 1
    for result in [found["result"]] if "result" in found else []:
        result.setdefault("hit", False)
        result.setdefault("rechecked", False)
        for name, value in {"failure": None, "outcome": "PASSED", "fingerprint": ""}.items():
            result["verdict"].setdefault(name, value)
        for stage in result["verdict"]["stages"]:
            stage.setdefault("artifacts", [])
            stage.setdefault("attributes", {})
    return json.dumps(found).encode() + b"\n"


def test_a_malformed_line_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / OPS_NAME).write_text("{}\n")
    with pytest.raises(RecordError, match=r"ops\.jsonl:1: not an op's result"):
        read_ops(tmp_path)


def test_recent_takes_the_newest_result_of_every_test(tmp_path: Path) -> None:
    vit = identity("vit", flow="op_by_op_torch")
    old, new = op_result(0), op_result(1)
    both = {TEST: (old,), vit: (old,)}
    write_run(tmp_path / "old", [record(TEST), record(vit)], ops=both)
    write_run(tmp_path / "new", [record(TEST)], ops={TEST: (new,)}, created=STARTED + 9)
    found, losses = recent_ops(tmp_path)
    assert {o.record.identity: o.ops for o in found} == {TEST: (new,), vit: (old,)}
    assert losses == []


def test_recent_is_not_hidden_by_a_test_the_machine_stopped(tmp_path: Path) -> None:
    write_run(tmp_path / "old", [record(TEST)], ops={TEST: (op_result(0),)})
    infra = record(TEST, Outcome.INFRA, Status.NOT_STARTED)
    write_run(tmp_path / "new", [infra], created=STARTED + 9)
    assert recent_ops(tmp_path)[0][0].ops
    crashed = record(TEST, Outcome.CRASHED, Status.NOT_STARTED)
    write_run(tmp_path / "newest", [crashed], created=STARTED + 99)
    assert recent_ops(tmp_path)[0][0].ops == ()


def test_recent_is_not_hidden_by_a_walk_over_less_than_all_ops(tmp_path: Path) -> None:
    whole = tuple(op_result(i) for i in range(3))
    write_run(tmp_path / "whole", [record(TEST)], ops={TEST: whole})
    one = record(TEST, only_op=1)
    write_run(tmp_path / "one", [one], ops={TEST: whole[1:2]}, created=STARTED + 9)
    for late, word in enumerate((Outcome.TIMEOUT, Outcome.CRASHED, Outcome.KILLED)):
        cut = record(TEST, word, Status.NOT_STARTED)
        write_run(tmp_path / word, [cut], ops={TEST: whole[:2]}, created=STARTED + 99 + late)
    assert recent_ops(tmp_path)[0][0].ops == whole
    (tmp_path / "whole" / "run.json").unlink()
    assert recent_ops(tmp_path)[0][0].ops == whole[:2], "better than nothing"


def test_a_walk_that_was_asked_for_one_op_says_so() -> None:
    events = [*begun(), (OpsFound(time=1.0, key=TEST.key, total=1, only=7), "a")]
    (made,) = fold(events + did(op_result(7)) + ended())
    assert made.only_op == 7
    events = [*begun(), (OpsFound(time=1.0, key=TEST.key, total=1), "a")]
    assert fold(events + ended())[0].only_op is None


def test_recent_names_the_run_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{")
    found, losses = recent_ops(tmp_path)
    assert (found, len(losses)) == ([], 1)


def test_lean_events_give_the_same_records() -> None:
    """Whatever an op's result says besides its outcome, records are the same without."""
    good, other = op_result(0, pcc=0.9), op_result(0, pcc=0.8)
    bad = op_result(1, Status.CONVERTED_TO_STABLE_HLO, Outcome.FAILED)
    for pairs in (
        [*begun(), *did(good), *did(bad), *ended()],
        [*begun(), *did(good), *did(other), *ended()],
        [*begun(), *took(bad), *did(good), *stopped(Outcome.KILLED)],
        [
            *begun(),
            *did(bad),
            *begun(5.0, "b"),
            *did(good, 6.0, "b"),
            *ended(time=7.0, journal="b"),
        ],
        [*begun(), *took(good), *ended(Outcome.TIMEOUT), *did(good, 3.0, "worker")],
    ):
        lean = Lean()
        assert fold([(lean(event), name) for event, name in pairs]) == fold(pairs)
        assert any(lean(event) != event for event, _ in pairs)
