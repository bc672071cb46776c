# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From evidence to moves: the three cases of the page, and what is never evidence."""

import random
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.moves import Move, read_moves, write_moves
from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import (
    NOT_EVIDENCE,
    Check,
    Failure,
    Metric,
    Outcome,
    OutputCheck,
    Stage,
    Status,
    TestRecord,
)
from bringup.pipeline.lists.lists import Lists, apply, problems, read_lists
from bringup.pipeline.lists.promote import propose, with_flow
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    SHIPPED,
    WEEKLY_OP_BY_OP,
)
from bringup.pipeline.results.issue import draft_issue, write_drafts
from tests.unit.run_builder import PROVENANCE, STARTED, output, record

FULL, WEEKLY = NIGHTLY_FULL.name, WEEKLY_OP_BY_OP.name
OPS, E2E = NIGHTLY_OP_BY_OP.name, NIGHTLY_E2E_COMPILE.name

T5 = "tests/models/t5/test_t5.py::test_t5[full-t5-large-eval]"
T5_OPS = "tests/models/t5/test_t5.py::test_t5[op_by_op_torch-t5-large-eval]"
T5_SHLO = "tests/models/t5/test_t5.py::test_t5[op_by_op_stablehlo-t5-large-eval]"
YOLO = "tests/models/yolo/test_yolo_onnx.py::test_yolo_onnx[full-eval]"
YOLO_OPS = "tests/models/yolo/test_yolo_onnx.py::test_yolo_onnx[op_by_op_stablehlo-eval]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in SHIPPED:
        (tmp_path / name.file_name).write_text("[cpu]\ntests = []\n")
    return tmp_path


def lists(folder: Path, *entries: tuple[str, str], device: str = "cpu") -> Lists:
    apply(folder, [Move(test, device, "add", name, "given") for name, test in entries])
    return read_lists(folder)


def seen(
    entry: str,
    outcome: Outcome = Outcome.PASSED,
    status: Status = Status.EXECUTED,
    *,
    device: str = "cpu",
    stage: Stage | None = Stage.COMPILE,
    **fields: object,
) -> TestRecord:
    identity = identity_of(entry, device)
    fields = {"nodeid": nodeid_on(entry, device), **fields}
    return record(identity, outcome, status, stage=stage, **fields)


def failed(entry: str = T5, stage: Stage | None = Stage.COMPILE, **fields: object) -> TestRecord:
    reached = Status.CONVERTED_TO_TTNN if stage is Stage.EXECUTE else Status.CONVERTED_TO_STABLE_HLO
    return seen(entry, Outcome.FAILED, reached, stage=stage, **fields)


def walked(status: Status, entry: str = T5_OPS, **fields: object) -> TestRecord:
    """An op-by-op record all of whose ops reached `status`."""
    return seen(entry, Outcome.PASSED, status, **fields)


def changes(moves: list[Move]) -> set[tuple[str, str, str]]:
    return {(m.move, m.list, m.test) for m in moves}


class TestCase1RunsCorrectly:
    def test_a_new_test_goes_to_nightly_full_and_weekly_op_by_op(self, folder: Path) -> None:
        moves = propose([seen(T5)], lists(folder))
        assert changes(moves) == {("add", FULL, T5), ("add", WEEKLY, T5_OPS)}
        assert "runs end to end and correctly on cpu, PCC 0.999987" in moves[0].reason

    def test_one_that_turned_out_to_train_counts_for_its_id(self, folder: Path) -> None:
        one = seen(T5)
        trains = msgspec.structs.replace(one.identity, mode="train", filed_mode="eval")
        trained = msgspec.structs.replace(one, identity=trains)
        assert propose([trained], lists(folder)) == propose([one], lists(folder)) != []

    def test_an_onnx_test_is_walked_through_stablehlo(self, folder: Path) -> None:
        moves = propose([seen(YOLO)], lists(folder))
        assert changes(moves) == {("add", FULL, YOLO), ("add", WEEKLY, YOLO_OPS)}

    def test_it_leaves_the_lists_of_tests_that_do_not_run(self, folder: Path) -> None:
        given = lists(folder, (OPS, T5_OPS), (E2E, T5))
        assert changes(propose([seen(T5)], given)) == {
            ("add", FULL, T5),
            ("add", WEEKLY, T5_OPS),
            ("remove", OPS, T5_OPS),
            ("remove", E2E, T5),
        }

    def test_the_op_by_op_ids_somebody_chose_move_as_they_are(self, folder: Path) -> None:
        given = lists(folder, (OPS, T5_SHLO))
        assert changes(propose([seen(T5)], given)) == {
            ("add", FULL, T5),
            ("add", WEEKLY, T5_SHLO),
            ("remove", OPS, T5_SHLO),
        }

    def test_one_device_says_nothing_of_another(self, folder: Path) -> None:
        given = lists(folder, (OPS, T5_OPS), device="n150")
        moves = propose([seen(T5, device="cpu")], given)
        assert {m.device for m in moves} == {"cpu"}
        assert {m.move for m in moves} == {"add"}

    def test_what_is_in_place_is_not_proposed(self, folder: Path) -> None:
        assert propose([seen(T5)], lists(folder, (FULL, T5), (WEEKLY, T5_OPS))) == []

    def test_a_renamed_file_is_the_same_test(self, folder: Path) -> None:
        old = "tests/models/encoders/test_t5.py::"
        given = lists(
            folder, (FULL, old + T5.partition("::")[2]), (WEEKLY, old + T5_OPS.partition("::")[2])
        )
        assert {m.list for m in propose([seen(T5)], given)} <= {WEEKLY}

    def test_the_latest_attempt_decides(self, folder: Path) -> None:
        flaky = [failed(started=STARTED), seen(T5, started=STARTED + 60, attempt=2)]
        assert ("add", FULL, T5) in changes(propose(flaky, lists(folder)))
        assert ("add", FULL, T5) in changes(propose(flaky[::-1], lists(folder)))


class TestCase2Incorrect:
    WRONG = seen(T5, Outcome.INCORRECT, outputs=(output(0.9173, ok=False),), stage=Stage.VERIFY)

    def test_it_goes_where_a_correct_one_goes_and_asks_for_an_issue(self, folder: Path) -> None:
        moves = propose([self.WRONG], lists(folder, (OPS, T5_OPS)))
        assert changes(moves) == {
            ("add", FULL, T5),
            ("add", WEEKLY, T5_OPS),
            ("remove", OPS, T5_OPS),
        }
        assert "incorrect, PCC 0.9173" in moves[0].reason
        assert "disable the failing check with a reference" in moves[0].reason

    def test_a_pcc_that_is_no_number_says_so(self, folder: Path) -> None:
        wrong = seen(T5, Outcome.INCORRECT, outputs=(output(float("nan"), ok=False),))
        assert "PCC nan" in propose([wrong], lists(folder))[0].reason

    def test_the_issue_is_drafted_from_the_evidence(self) -> None:
        text = draft_issue(self.WRONG, PROVENANCE)
        assert text.startswith("# `org/t5-t5-large` on `cpu`: pcc does not hold\n")
        assert "Labels: `models_pcc_issue`" in text
        assert "| `logits` | `1x128x768` | `float32` | `pcc` | `0.9173` | `0.99` |" in text
        assert "`atol`" not in text  # it was recorded and not asserted
        assert (
            "\nnox -s run -- "
            "'tests/models/t5/test_t5.py::test_t5[full-t5-large-eval]' --device cpu\n" in text
        )
        assert f"\nnox -s repro -- '{T5}' --device cpu  # finds the ops" in text
        assert "- `torch-mlir`: `20261001`" in text
        assert PROVENANCE.git_commit in text

    def test_what_needs_an_issue_gets_a_draft_and_nothing_else_does(self, tmp_path: Path) -> None:
        why = Failure(Stage.VERIFY, "IncorrectResult", "logits: pcc is 0.9")
        wrong = msgspec.structs.replace(self.WRONG, failure=why)
        refused = failed(YOLO)
        (written,) = write_drafts(tmp_path, [wrong, refused, seen(T5, device="n150")], {})
        assert written == tmp_path / "issues" / "t5-full-t5-large-eval-cpu.md"
        assert "pcc does not hold" in written.read_text()

        demoted = Move(YOLO, "cpu", "remove", FULL, "it does not run")
        elsewhere = [Move(YOLO, "n150", "remove", FULL, ""), Move(YOLO, "cpu", "remove", E2E, "")]
        assert write_drafts(tmp_path, [refused], {}, elsewhere) == []
        for reason in ({"moves": [demoted]}, {"broken_promises": {refused.identity.key}}):
            (written,) = write_drafts(tmp_path, [refused], {}, **reason)
            text = written.read_text()
            assert "FAILED in stage compile" in text and "Disable the failing check" not in text
        own_code = failed(YOLO, stage=Stage.LOAD)
        assert write_drafts(tmp_path, [own_code], {}, [demoted]) == []

    def test_nothing_in_a_record_escapes_its_code_span(self) -> None:
        evil = "a`b``\n\n# @everyone | <img src=x>"
        check = Check("pcc", Metric.of(0.1), 0.99, False, True)
        wrong = seen(
            T5,
            Outcome.INCORRECT,
            outputs=(OutputCheck(evil, (), "float32", (check,)),),
            model_name=evil,
            failure=Failure(Stage.VERIFY, "x", evil),
        )
        text = draft_issue(wrong)
        assert "\n# @everyone" not in text
        assert text.count("```a`b`` # @everyone | <img src=x>```") == 2
        assert "```a`b`` # @everyone \\| <img src=x>```" in text

    def test_a_thousand_failing_outputs_make_a_short_issue(self) -> None:
        outputs = tuple(output(0.5, f"out[{i}]", ok=False) for i in range(1000))
        text = draft_issue(seen(T5, Outcome.INCORRECT, outputs=outputs))
        assert "and 980 more." in text
        assert len(text) < 5_000


class TestCase3DoesNotRun:
    @pytest.mark.parametrize("stage", [Stage.EXPORT, Stage.STABLEHLO, Stage.COMPILE, Stage.EXECUTE])
    def test_a_failure_of_compiler_or_device_goes_op_by_op(
        self, folder: Path, stage: Stage
    ) -> None:
        moves = propose([failed(stage=stage)], lists(folder))
        assert changes(moves) == {("add", OPS, T5_OPS)}
        assert f"FAILED in stage {stage}" in moves[0].reason

    def test_it_leaves_the_lists_of_tests_that_run(self, folder: Path) -> None:
        given = lists(folder, (FULL, T5), (WEEKLY, T5_OPS))
        assert changes(propose([failed()], given)) == {
            ("add", OPS, T5_OPS),
            ("remove", FULL, T5),
            ("remove", WEEKLY, T5_OPS),
        }

    @pytest.mark.parametrize("stage", [Stage.LOAD, Stage.GOLDEN, Stage.VERIFY, None])
    def test_a_failure_of_the_test_itself_is_no_evidence(
        self, folder: Path, stage: Stage | None
    ) -> None:
        assert propose([failed(stage=stage)], lists(folder, (FULL, T5))) == []

    def test_a_crash_places_a_new_test(self, folder: Path) -> None:
        crash = seen(T5, Outcome.CRASHED, Status.CONVERTED_TO_STABLE_HLO)
        assert changes(propose([crash], lists(folder))) == {("add", OPS, T5_OPS)}

    @pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.TIMEOUT])
    def test_a_crash_or_a_timeout_demotes_nothing(self, folder: Path, outcome: Outcome) -> None:
        given = lists(folder, (FULL, T5), (WEEKLY, T5_OPS))
        bad = seen(T5, outcome, Status.CONVERTED_TO_TTNN, started=STARTED + 60, attempt=2)
        assert propose([bad], given) == []
        assert propose([seen(T5), bad], given) == []

    def test_all_ops_compile_and_some_do_not_execute(self, folder: Path) -> None:
        found = [failed(), walked(Status.CONVERTED_TO_TTNN)]
        moves = propose(found, lists(folder))
        assert changes(moves) == {("add", OPS, T5_OPS), ("add", E2E, T5)}
        assert "every op compiles for cpu and some do not execute" in moves[1].reason

    def test_the_op_by_op_night_alone_is_enough_for_the_e2e_compile_list(
        self, folder: Path
    ) -> None:
        given = lists(folder, (OPS, T5_OPS))
        found = [walked(Status.CONVERTED_TO_TTNN)]
        assert changes(propose(found, given)) == {("add", E2E, T5)}

    @pytest.mark.parametrize(
        "status", [Status.CREATED_GRAPH, Status.CONVERTED_TO_TTIR, Status.EXECUTED]
    )
    def test_ops_that_do_not_compile_or_all_execute_add_nothing(
        self, folder: Path, status: Status
    ) -> None:
        assert propose([failed(), walked(status)], lists(folder, (OPS, T5_OPS))) == []

    def test_all_ops_execute_and_the_whole_model_does_not(self, folder: Path) -> None:
        found = [failed(stage=Stage.EXECUTE), walked(Status.EXECUTED)]
        assert ("add", E2E, T5) in changes(propose(found, lists(folder)))

    def test_the_weekly_walk_of_a_model_that_runs_moves_nothing(self, folder: Path) -> None:
        given = lists(folder, (FULL, T5), (WEEKLY, T5_OPS))
        assert propose([walked(Status.CONVERTED_TO_TTNN)], given) == []

    def test_a_new_test_that_was_only_walked_is_placed_op_by_op(self, folder: Path) -> None:
        found = [walked(Status.CONVERTED_TO_STABLE_HLO, T5_SHLO)]
        moves = propose(found, lists(folder))
        assert changes(moves) == {("add", OPS, T5_SHLO)}
        assert "nothing is known of it end to end" in moves[0].reason


class TestDevicesThatOnlyCompile:
    TOP = seen(T5, Outcome.REACHED, Status.CONVERTED_TO_TTNN, device="n150")

    def test_reaching_the_top_belongs_in_e2e_compile(self, folder: Path) -> None:
        (move,) = propose([self.TOP], lists(folder))
        assert (move.move, move.list, move.test, move.device) == ("add", E2E, T5, "n150")
        assert "status 6: CONVERTED_TO_TTNN" in move.reason
        assert "cannot execute here" in move.reason

    def test_it_cannot_stay_in_the_list_of_tests_that_execute(self, folder: Path) -> None:
        given = lists(folder, (FULL, T5), device="n150")
        assert changes(propose([self.TOP], given)) == {("add", E2E, T5), ("remove", FULL, T5)}

    def test_stopping_where_asked_evicts_nothing_from_nightly_full(self, folder: Path) -> None:
        stopped = seen(T5, Outcome.REACHED, Status.CONVERTED_TO_TTNN, depth="TTNN_IR")
        assert propose([stopped], lists(folder, (FULL, T5))) == []

    def test_stopping_where_asked_shows_that_it_compiles(self, folder: Path) -> None:
        stopped = seen(T5, Outcome.REACHED, Status.CONVERTED_TO_TTNN, depth="TTNN_IR")
        assert changes(propose([stopped], lists(folder, (OPS, T5_OPS)))) == {("add", E2E, T5)}

    def test_stopping_early_says_nothing(self, folder: Path) -> None:
        early = seen(T5, Outcome.REACHED, Status.CONVERTED_TO_STABLE_HLO, depth="STABLEHLO")
        assert propose([early], lists(folder)) == []

    def test_walking_it_counts_as_compiling(self, folder: Path) -> None:
        walk = seen(T5_OPS, Outcome.REACHED, Status.CONVERTED_TO_TTNN, device="n150")
        given = lists(folder, (OPS, T5_OPS), device="n150")
        (move,) = propose([walk], given)
        assert (move.list, move.test) == (E2E, T5)
        assert "nothing executes here" in move.reason


class TestWhatIsNoEvidence:
    @pytest.mark.parametrize("outcome", sorted(NOT_EVIDENCE | {Outcome.TIMEOUT}))
    @pytest.mark.parametrize("placed", [FULL, OPS, E2E, None])
    def test_the_machines_trouble_moves_nothing(
        self, folder: Path, outcome: Outcome, placed: str | None
    ) -> None:
        entries = [(placed, T5_OPS if placed is OPS else T5)] if placed else []
        assert propose([seen(T5, outcome, Status.NOT_STARTED)], lists(folder, *entries)) == []

    def test_a_full_id_run_at_an_op_by_op_depth_is_a_walk(self, folder: Path) -> None:
        walk = seen(T5, Outcome.PASSED, Status.EXECUTED, depth="EXECUTE_OP_BY_OP")
        assert changes(propose([walk], lists(folder))) == {("add", OPS, T5_OPS)}

    @pytest.mark.parametrize(
        "nodeid", ["", "no test", "tests/models/gpt/test_gpt.py::test_gpt[full-eval-cpu]"]
    )
    def test_a_record_under_another_tests_id_is_dropped(self, folder: Path, nodeid: str) -> None:
        assert propose([seen(T5, nodeid=nodeid)], lists(folder)) == []

    def test_an_id_that_does_not_collect_is_never_added(self, folder: Path) -> None:
        given = lists(folder, (OPS, T5_OPS))
        assert changes(propose([seen(T5)], given, collected=[T5])) == {
            ("add", FULL, T5),
            ("remove", OPS, T5_OPS),
        }

    def test_no_test_loses_its_last_place(self, folder: Path) -> None:
        given = lists(folder, (FULL, T5))
        assert propose([failed()], given, collected=[T5]) == []
        plain = "tests/models/x/test_x.py::test_x[eval]"
        assert propose([failed(plain)], lists(folder, (FULL, plain))) == []

    def test_a_pass_in_which_nothing_was_compared(self, folder: Path) -> None:
        given = lists(folder, (OPS, T5_OPS))
        assert propose([seen(T5, outputs=())], given) == []
        assert propose([seen(T5, Outcome.UNVERIFIED)], given) == []

    def test_a_walk_over_the_one_op_that_was_asked_for(self, folder: Path) -> None:
        assert propose([walked(Status.EXECUTED, only_op=3)], lists(folder)) == []
        one = [failed(stage=Stage.EXECUTE), walked(Status.CONVERTED_TO_TTNN, only_op=0)]
        assert propose(one, lists(folder, (OPS, T5_OPS))) == []

    def test_a_rehearsal_at_another_size(self, folder: Path) -> None:
        tiny = identity_of(T5, "cpu", "tiny")
        nodeid = nodeid_on(T5, "cpu", "tiny")
        given = lists(folder, (OPS, T5_OPS))
        for entry in (T5, ""):
            assert propose([record(tiny, nodeid=nodeid, entry=entry)], given) == []
        assert propose([seen(T5)], given) != []


class TestMoves:
    def test_applied_once_there_is_nothing_left_to_propose(self, folder: Path) -> None:
        chance = random.Random(7)
        entries = [T5, T5_OPS, T5_SHLO, YOLO, YOLO_OPS]
        homes = {T5: (FULL, E2E), YOLO: (FULL, E2E)}
        for _ in range(100):
            for name in SHIPPED:
                (folder / name.file_name).write_text("")
            given = [
                (chance.choice(homes.get(entry, (WEEKLY, OPS))), entry)
                for entry in entries
                if chance.random() < 0.5
            ]
            before = lists(folder, *given)
            records = [
                seen(
                    chance.choice(entries),
                    chance.choice(list(Outcome)),
                    chance.choice(list(Status)),
                    stage=chance.choice([*Stage, None]),
                    depth=chance.choice(["EXECUTE", "TTNN_IR", "EXECUTE_OP_BY_OP"]),
                    started=STARTED + i,
                    device=chance.choice(["cpu", "n150"]),
                )
                for i in range(chance.randint(1, 6))
            ]
            moves = propose(records, before)
            assert moves == propose(chance.sample(records, len(records)), before)
            apply(folder, moves)
            after = read_lists(folder)
            assert propose(records, after) == []
            assert problems(after, entries, ["cpu", "n150"]) == []
            assert {e.identity.model for e in before.entries} <= {
                e.identity.model for e in after.entries
            }

    def test_they_are_kept_beside_the_records(self, folder: Path) -> None:
        moves = propose([seen(T5)], lists(folder))
        write_moves(folder, moves)
        assert read_moves(folder) == tuple(moves)

    @pytest.mark.parametrize(
        ("entry", "changed"),
        [
            (T5, T5_OPS),
            (T5_SHLO, T5_OPS),
            ("a.py::test_x[eval-base-full]", "a.py::test_x[eval-base-op_by_op_torch]"),
            ("a.py::test_x[eval]", None),
            ("a.py::test_x", None),
        ],
    )
    def test_a_flow_is_replaced_where_it_stands(self, entry: str, changed: str | None) -> None:
        assert with_flow(entry, "op_by_op_torch") == changed
