# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `try` answers, whatever the records say."""

from pathlib import Path

import msgspec

from bringup.harness.records.estimates import Bound, Estimate, Memory, Source
from bringup.harness.records.schema import Outcome, Stage, StageResult, Status
from bringup.pipeline.trying.answer import of_models, of_ops
from tests.unit import run_builder as made

OPS = made.identity("t5", flow="op_by_op_torch")


def test_a_model_has_a_line_even_where_nothing_was_said() -> None:
    for message in ("", "\n", "first\nsecond"):
        record = made.record(outcome=Outcome.FAILED, message=message)
        (line,) = of_models([record])
        assert "FAILED" in line and "second" not in line


def test_a_model_that_could_not_be_taken_apart_clears_no_op(tmp_path: Path) -> None:
    record = made.record(OPS, Outcome.FAILED, Status.CREATED_GRAPH, message="no legal lowering")
    run_dir = made.write_run(tmp_path / "run", [record])
    (line,) = of_ops(run_dir)
    assert "cannot be taken apart: no legal lowering" in line and "to blame" not in line


def test_ops_that_are_to_blame_come_with_what_shows_them_again(tmp_path: Path) -> None:
    good, bad = made.op_result(0), made.op_result(1, Status.NOT_STARTED, Outcome.FAILED)
    record = made.record(OPS, ops_found=2)
    for results, said in (([good], "none of 1 ops"), ([good, bad], "1 of 2 ops are to blame")):
        run_dir = made.write_run(tmp_path / str(len(results)), [record], ops={OPS: results})
        told = list(of_ops(run_dir))
        assert said in told[0]
    assert "1 more were not looked at" in next(of_ops(tmp_path / "1"))
    assert "nox -s repro -- " in told[2]


def test_a_device_with_figures_says_whether_it_fits_and_what_it_would_cost() -> None:
    gib = 1 << 30
    memory = Memory(3 * gib, gib, available=80 * gib, temporaries=0)
    fits = Estimate(memory, 1e12, 1e9, Source.COMPILER, 0.0002, Bound.COMPUTE, "bf16")
    narrow = msgspec.structs.replace(fits, memory=msgspec.structs.replace(memory, available=gib))
    records = [
        made.record(made.identity("t5", device), Outcome.REACHED, stages=(stage,))
        for device, stage in (
            ("cpu", StageResult(Stage.COMPILE, ok=True)),
            ("h100", StageResult(Stage.COMPILE, ok=True, estimate=fits)),
            ("small", StageResult(Stage.COMPILE, ok=True, estimate=narrow)),
        )
    ]
    cpu, h100, small, rests = of_models(records)
    assert "GiB" not in cpu
    assert "  4.0 GiB of 80.0 GiB" in h100 and ">= 200 µs  compute-bound" in h100
    assert "does not fit: 4.0 GiB of 1.0 GiB" in small
    assert rests.startswith("(memory and time are an estimate, not a measurement")


def test_devices_on_which_a_model_fails_for_one_reason_share_a_line() -> None:
    devices = ("cpu", "n150", "n300")
    records = [
        made.record(made.identity(model, device), Outcome.FAILED, message=message)
        for model, messages in (("bert", ["no file"] * 3), ("t5", ["no file", "other", "no file"]))
        for device, message in zip(devices, messages, strict=True)
    ]
    bert, t5, other = of_models(records)
    assert bert.startswith("bert on cpu and 2 more  FAILED") and bert.endswith("no file")
    assert t5.startswith("t5 on cpu and 1 more") and other.startswith("t5 on n150 ")
    good = [made.record(made.identity("bert", device)) for device in devices]
    assert len(list(of_models(good))) == 3


def test_of_a_large_fleet_the_good_and_what_never_started_are_counted() -> None:
    ends = [Outcome.PASSED] * 40 + [Outcome.NOT_RUN] * 3 + [Outcome.FAILED]
    records = [made.record(made.identity(f"m{n:02}"), end) for n, end in enumerate(ends)]
    failed, counted = of_models(records)
    assert failed.startswith("m43 on n150  FAILED")
    assert counted == "40 PASSED; 3 NOT_RUN: of 44 models and devices those without a line"
    assert len(list(of_models(records[:40]))) == 40
