# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which records get a draft of an issue, and what stands in it."""

from pathlib import Path

import msgspec

from bringup.harness.records.moves import Move
from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import (
    Check,
    Failure,
    Metric,
    Outcome,
    OutputCheck,
    RunHeader,
    Stage,
    Status,
    TestRecord,
)
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE, NIGHTLY_FULL
from bringup.pipeline.results.issue import draft_issue, write_drafts
from tests.unit.run_builder import PROVENANCE, output, record

FULL, E2E = NIGHTLY_FULL.name, NIGHTLY_E2E_COMPILE.name
T5 = "tests/models/t5/test_t5.py::test_t5[full-t5-large-eval]"
YOLO = "tests/models/yolo/test_yolo_onnx.py::test_yolo_onnx[full-eval]"
HEADER = RunHeader(run_id="r", session="nightly", created=1.0)


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


def failed(entry: str = T5, stage: Stage | None = Stage.COMPILE) -> TestRecord:
    return seen(entry, Outcome.FAILED, Status.CONVERTED_TO_STABLE_HLO, stage=stage)


WRONG = seen(T5, Outcome.INCORRECT, outputs=(output(0.9173, ok=False),), stage=Stage.VERIFY)


def test_the_issue_is_drafted_from_the_evidence() -> None:
    text = draft_issue(WRONG, PROVENANCE)
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


def test_what_needs_an_issue_gets_a_draft_and_nothing_else_does(tmp_path: Path) -> None:
    why = Failure(Stage.VERIFY, "IncorrectResult", "logits: pcc is 0.9")
    wrong = msgspec.structs.replace(WRONG, failure=why)
    refused = failed(YOLO)
    (written,) = write_drafts(tmp_path, HEADER, [wrong, refused, seen(T5, device="n150")])
    assert written == tmp_path / "issues" / "t5-full-t5-large-eval-cpu.md"
    assert "pcc does not hold" in written.read_text()

    demoted = Move(YOLO, "cpu", "remove", FULL, "it does not run")
    elsewhere = [Move(YOLO, "n150", "remove", FULL, ""), Move(YOLO, "cpu", "remove", E2E, "")]
    assert write_drafts(tmp_path, HEADER, [refused], elsewhere) == []
    for reason in ({"moves": [demoted]}, {"broken_promises": {refused.identity.key}}):
        (written,) = write_drafts(tmp_path, HEADER, [refused], **reason)
        text = written.read_text()
        assert "FAILED in stage compile" in text and "Disable the failing check" not in text
    own_code = failed(YOLO, stage=Stage.LOAD)
    assert write_drafts(tmp_path, HEADER, [own_code], [demoted]) == []


def test_nothing_in_a_record_escapes_its_code_span() -> None:
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


def test_a_thousand_failing_outputs_make_a_short_issue() -> None:
    outputs = tuple(output(0.5, f"out[{i}]", ok=False) for i in range(1000))
    text = draft_issue(seen(T5, Outcome.INCORRECT, outputs=outputs))
    assert "and 980 more." in text
    assert len(text) < 5_000
