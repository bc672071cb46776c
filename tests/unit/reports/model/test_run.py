# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a merged run amounts to, before any reporter shows it."""

import random

import msgspec

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import (
    Failure,
    Identity,
    Outcome,
    PlannedTest,
    RunHeader,
    Stage,
    StageResult,
    Status,
)
from bringup.reports.model.run import RunSummary, anchor_of, summarise
from bringup.reports.model.tally import tally
from tests.unit.run_builder import identity, nodeid, not_run, plan_of, record

HEADER = RunHeader(run_id="r", session="nightly", created=0.0)


def header(planned: int, *missing: str) -> RunHeader:
    return RunHeader(
        run_id="r", session="nightly", created=0.0, planned=planned, missing=tuple(missing)
    )


def summary_of(*records: object, planned: list[Identity] | None = None) -> RunSummary:
    plans = [plan_of(planned)] if planned is not None else []
    return summarise(header(len(planned or ())), records, plans)  # type: ignore[arg-type]


# --- attempts --------------------------------------------------------------------------------


def test_the_last_attempt_counts_and_earlier_ones_are_history() -> None:
    first = record(outcome=Outcome.CRASHED, attempt=1)
    second = record(outcome=Outcome.PASSED, attempt=2)
    (result,) = summary_of(second, first).results
    assert result.record == second
    assert result.earlier == (first,)


def test_attempts_with_the_same_number_are_ordered_by_their_start() -> None:
    early = record(outcome=Outcome.TIMEOUT, started=10.0)
    late = record(outcome=Outcome.PASSED, started=20.0)
    (result,) = summary_of(late, early).results
    assert result.record == late


def test_a_test_that_ran_is_not_hidden_by_a_note_that_it_never_started() -> None:
    (result,) = summary_of(record(), not_run(identity())).results
    assert result.record.outcome is Outcome.PASSED


def test_what_an_earlier_run_had_done_is_counted_once_for_all_devices() -> None:
    done, again = {"cached from": "night"}, {"cached from": "night", "reused from": "t5@cpu"}
    stages = [(Stage.STABLEHLO, done), (Stage.COMPILE, {})]
    others = [(Stage.STABLEHLO, again), (Stage.COMPILE, done)]
    one, other = (
        msgspec.structs.replace(
            record(identity("t5", device)),
            stages=tuple(StageResult(stage, ok=True, attributes=said) for stage, said in each),
        )
        for device, each in (("cpu", stages), ("n150", others))
    )
    assert summary_of(one, other).cached_text == "cached by earlier runs: 1 lowering, 1 compilation"
    assert summary_of(record(identity("t5", "cpu"))).cached_text == ""


def test_earlier_attempts_are_in_no_count() -> None:
    run = summary_of(record(outcome=Outcome.CRASHED, attempt=1), record(attempt=2))
    assert run.overall.counts == {Outcome.PASSED: 1}


# --- planned minus reported ------------------------------------------------------------------


def test_planned_without_a_record_is_missing_and_not_a_pass() -> None:
    there, gone = identity("t5"), identity("vit")
    run = summary_of(record(there), planned=[there, gone])
    assert [m.identity for m in run.missing] == [gone]
    assert run.overall.arrived.text == "1/2 (50 %)"
    assert run.anything_missing


def test_not_run_is_missing_with_its_reason() -> None:
    run = summary_of(not_run(identity()), planned=[identity()])
    (missing,) = run.missing
    assert missing.result is run.results[0]
    assert missing.reason == "the run was stopped before its turn"
    assert run.overall.planned == 1


def test_tests_of_a_plan_that_never_arrived_are_counted_without_a_name() -> None:
    test = identity()
    run = summarise(header(5, "shard 2 of 2 never reported"), [record(test)], [plan_of([test])])
    assert run.unnamed == 4
    assert run.lost == 4
    assert run.gaps[0] == "shard 2 of 2 never reported"
    assert run.gaps[1].startswith("4 planned tests are not known even by name")


def test_records_of_a_shard_whose_plan_is_lost_are_not_missed_twice() -> None:
    known, foreign = identity("t5"), identity("vit")
    run = summarise(header(2), [record(known), record(foreign)], [plan_of([known])])
    assert run.lost == 0
    assert not run.anything_missing


def test_a_test_planned_by_two_lists_is_one_test() -> None:
    test = identity()
    run = summarise(header(2), [record(test)], [plan_of([test], "a"), plan_of([test], "b")])
    assert run.lost == 0
    assert run.overall.planned == 1


def test_without_any_plan_nothing_is_said_to_be_missing() -> None:
    run = summarise(HEADER, [record()])
    assert not run.plan_known
    assert not run.anything_missing


def test_a_run_of_nothing_is_summarised() -> None:
    run = summarise(HEADER, [])
    assert run.devices == ()
    assert run.overall.good.text == "n/a"


def test_a_run_that_lost_everything_keeps_its_devices_and_rows() -> None:
    planned = [identity(model, device) for model in ("t5", "vit") for device in ("cpu", "n150")]
    run = summary_of(planned=planned)
    assert run.devices == ("cpu", "n150")
    assert len(run.grid) == 2
    assert run.lost == 4
    assert run.overall.good.text == "n/a"


# --- shares ----------------------------------------------------------------------------------


def test_what_says_nothing_of_the_model_is_in_no_share() -> None:
    """An infrastructure failure must not be published as a 0 % score."""
    nothing = [
        record(outcome=outcome, status=Status.NOT_STARTED)
        for outcome in (Outcome.INFRA, Outcome.KILLED, Outcome.SKIPPED, Outcome.NOT_RUN)
    ]
    assert tally("n150", nothing, 0).good.percent is None
    assert tally("n150", [*nothing, record()], 0).good.percent == 100.0


def test_reached_is_good_and_was_not_to_execute() -> None:
    reached = record(outcome=Outcome.REACHED, status=Status.CONVERTED_TO_TTNN)
    counted = tally("n300", [reached, record()], 0)
    assert (counted.good.part, counted.good.whole) == (2, 2)
    assert (counted.compiled.part, counted.compiled.whole) == (2, 2)
    assert (counted.executed.part, counted.executed.whole) == (1, 1)


def test_a_crash_in_the_compiler_counts_against_compiled() -> None:
    crashed = record(outcome=Outcome.CRASHED, status=Status.CONVERTED_TO_TTIR)
    assert tally("n150", [crashed, record()], 0).compiled.text == "1/2 (50 %)"


# --- order and grid --------------------------------------------------------------------------


def test_the_order_of_the_records_does_not_matter() -> None:
    records = [
        record(identity(model, device), attempt=attempt)
        for model in ("vit", "t5", "bert")
        for device in ("n150", "cpu")
        for attempt in (1, 2)
    ]
    shuffled = random.Random(3).sample(records, len(records))
    assert summarise(HEADER, records) == summarise(HEADER, shuffled)


def test_the_grid_has_a_row_per_test_and_a_cell_per_device() -> None:
    records = [record(identity("t5", "cpu")), record(identity("t5", "n150"))]
    run = summary_of(*records, record(identity("vit", "cpu")))
    assert [row.identity.model for row in run.grid] == ["t5", "vit"]
    assert [cell is None for cell in run.grid[1].cells] == [False, True]


def test_a_torch_and_an_onnx_test_of_one_name_keep_their_rows() -> None:
    torch, onnx = identity("yolo_onnx"), identity("yolo", framework="onnx")
    assert torch.name == onnx.name
    assert len(summary_of(record(torch), record(onnx)).grid) == 2


def test_the_most_urgent_outcome_comes_first() -> None:
    outcomes = (Outcome.SKIPPED, Outcome.FAILED, Outcome.INFRA, Outcome.CRASHED)
    run = summary_of(*(record(identity(o.value), o) for o in outcomes), record(identity("ok")))
    assert [r.record.outcome for r in run.attention] == [
        Outcome.CRASHED,
        Outcome.FAILED,
        Outcome.INFRA,
        Outcome.SKIPPED,
    ]


def test_an_anchor_is_hash_digits_and_outlives_the_run() -> None:
    hostile = identity('"><script>alert(1)</script>')
    assert anchor_of(hostile).removeprefix("t-").isalnum()
    assert anchor_of(identity()) == anchor_of(identity())
    assert anchor_of(identity(device="cpu")) != anchor_of(identity(device="n150"))


# --- results ---------------------------------------------------------------------------------


def test_the_command_names_the_entry_the_device_and_what_the_plan_set() -> None:
    test = identity("t5", variant="base")
    planned = PlannedTest(test, nodeid(test), "e2e", environment={"TT_TORCH_COMPILE_DEPTH": "X"})
    plan = plan_of([])
    plan = type(plan)(run_id="r", created=0.0, session="s", tests=(planned,), total=1)
    (result,) = summarise(header(1), [record(test)], [plan]).results
    assert result.list_name == "e2e"
    assert result.command == (
        "TT_TORCH_COMPILE_DEPTH=X nox -s run -- "
        "'tests/models/t5/test_t5.py::test_t5[full-base-eval]' --device n150"
    )


def test_what_the_compiler_or_the_device_did_wrong_can_be_reduced() -> None:
    test = identity("t5", variant="base")
    why = Failure(Stage.VERIFY, "IncorrectResult", "logits: pcc is 0.3")
    (wrong,) = summary_of(record(test, Outcome.INCORRECT, failure=why)).results
    assert wrong.reduce_command == (
        "nox -s repro -- 'tests/models/t5/test_t5.py::test_t5[full-base-eval]' --device n150"
    )
    load = Failure(Stage.LOAD, "OSError", "no such file")
    ops = identity("t5", flow="op_by_op_torch")
    for other in (
        record(test),
        record(test, Outcome.FAILED, failure=load),
        record(ops, Outcome.FAILED, failure=why),
    ):
        (result,) = summary_of(other).results
        assert result.reduce_command == ""


def test_a_failure_without_a_stage_or_a_word_is_still_a_failure() -> None:
    silent = record(outcome=Outcome.CRASHED, failure=Failure(None, "CRASHED", "\n\n"))
    (result,) = summary_of(silent).results
    assert (result.failing_stage, result.failure_line) == ("", "")
    assert not result.good


# --- the mode that ran -----------------------------------------------------------------------


def test_attempts_before_and_after_a_test_said_its_mode_are_one_test() -> None:
    planned = identity("t5")
    other = identity("t5", mode="train")
    trains = msgspec.structs.replace(planned, mode="train", filed_mode="eval")
    died = record(planned, Outcome.CRASHED, attempt=1)
    run = summary_of(died, record(trains, attempt=2), record(other), planned=[planned, other])
    assert [(r.identity.mode, len(r.earlier)) for r in run.results] == [("train", 1), ("train", 0)]
    assert run.missing == () and run.unnamed == 0
    assert [row.identity.key for row in run.grid] == ["t5[full-eval]@", "t5[full-train]@"]
    assert {row.identity.mode for row in run.grid} == {"train"}


def test_what_failed_on_a_device_that_only_compiles_was_not_to_execute() -> None:
    """The plan says what each device was on the machine of the run."""
    tests = [identity("t5", "mi300x"), identity("t5", "cpu")]
    failed = record(tests[0], Outcome.FAILED, Status.CONVERTED_TO_TTIR)
    states = {"mi300x": DeviceState.COMPILES, "cpu": DeviceState.EXECUTES}
    plan = msgspec.structs.replace(plan_of(tests), devices=states)
    run = summarise(header(2), [failed, record(tests[1])], [plan])
    by_device = {one.device: one for one in run.tallies}
    assert by_device["mi300x"].executed.whole == 0 and by_device["mi300x"].good.whole == 1
    assert (run.overall.executed.part, run.overall.executed.whole) == (1, 1)
