# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which ops, dtypes and ranks are exercised, and what each device has seen: nothing is unknown that
somebody knows."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openpyxl
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bringup.harness.records.night import Moment
from bringup.harness.records.recent import OpsOfTest
from bringup.harness.records.schema import (
    Failure,
    Op,
    OpResult,
    OpVerdict,
    Outcome,
    RunHeader,
    Stage,
    Status,
    TensorType,
)
from bringup.harness.records.trends import TRENDS_SCHEMA, Trends
from bringup.reports.addresses import Addresses
from bringup.reports.model.coverage import SWEEP, Coverage, State, coverage, use_of
from bringup.reports.model.ops import ModelOps, models_of
from bringup.reports.model.past import new_names
from bringup.reports.terminal import coverage_of
from bringup.reports.xlsx.ops import render
from tests.unit.run_builder import identity, record

HEADER = RunHeader(run_id="r", session="nightly", created=0.0)


def an_op(name: str = "aten.add.Tensor", *types: tuple[tuple[int, ...], str]) -> Op:
    inputs = tuple(TensorType(shape, dtype) for shape, dtype in types or [((2, 3), "float32")])
    return Op(f"{name}{inputs}", name, "torch", inputs)


def result(
    op: Op, device: str, outcome: Outcome = Outcome.PASSED, stage: Stage = Stage.EXECUTE
) -> OpResult:
    good = outcome in (Outcome.PASSED, Outcome.REACHED)
    failure = None if good else Failure(stage, "E", "failed to legalize")
    status = Status.EXECUTED if good else Status.CREATED_GRAPH
    verdict = OpVerdict(
        op=op, device=device, status=status, outcome=outcome, failure=failure, fingerprint="f"
    )
    return OpResult(index=0, count=3, node="n", verdict=verdict)


def models(*walks: tuple[str, str, Sequence[OpResult], int]) -> tuple[ModelOps, ...]:
    """Tests as model, device, results and unique ops that were found."""
    return models_of(
        OpsOfTest(
            HEADER,
            record(identity(model, device, flow="op_by_op_torch"), ops_found=found, outputs=()),
            tuple(results),
        )
        for model, device, results, found in walks
    )


ADD, FFT = an_op(), an_op("aten.fft_fft.default", ((8,), "float32"))
WIDE = an_op("aten.add.Tensor", ((1, 2, 3, 4), "bfloat16"), ((), "int64"))


def states(found: Coverage, device: str) -> dict[str, State]:
    return {row.use.name: row.seen[device].state for row in found.rows}


def test_a_use_is_a_name_with_dtypes_and_ranks() -> None:
    use = use_of(WIDE)
    assert (use.name, use.dtypes, use.ranks) == ("aten.add.Tensor", "bf16, i64", "4, 0")
    assert use_of(ADD) == use_of(an_op("aten.add.Tensor", ((9, 9), "float32")))
    assert use_of(ADD) != use_of(an_op("aten.add.Tensor", ((9,), "float32")))


def test_what_a_device_has_seen() -> None:
    found = coverage(
        models(
            (
                "bert",
                "cpu",
                [result(ADD, "cpu"), result(FFT, "cpu", Outcome.FAILED, Stage.STABLEHLO)],
                2,
            ),
            ("vit", "n150", [result(WIDE, "n150", Outcome.REACHED)], 1),
        ),
        ["p150"],
    )
    assert found.devices == ("cpu", "n150", "p150")
    wide, add, fft = (r for r in sorted(found.rows, key=lambda r: (r.use.name, r.use.dtypes)))
    assert add.seen["cpu"].text == "covered, PASSED" and fft.seen["cpu"].text == "covered, FAILED"
    assert add.seen["n150"].text == "pending: bert did not go op by op here"
    assert fft.seen["n150"].state is State.EXCLUDED, "no device would see anything of it"
    assert fft.seen["p150"].why == "refused before any device, in stablehlo: f"
    assert wide.seen["cpu"].state is State.PENDING and wide.seen["p150"].state is State.PENDING
    cpu, n150, p150 = found.by_device
    assert (cpu.covered.text, cpu.good) == ("2/3 (66 %)", 1)
    assert n150.covered.text == "1/2 (50 %)" and p150.covered.text == "0/2 (0 %)"
    assert [row.use.name for row in found.pending("n150")] == ["aten.add.Tensor"]
    assert found.text == "3 uses of 2 ops, in 3 dtypes and up to rank 4"


def test_what_the_machine_did_covers_nothing() -> None:
    lost = result(ADD, "cpu", Outcome.INFRA)
    (row,) = coverage(models(("bert", "cpu", [lost], 1))).rows
    assert row.seen["cpu"].text == "pending: the machine failed: INFRA"


def test_an_op_that_got_further_somewhere_is_excluded_nowhere() -> None:
    here = result(ADD, "cpu", Outcome.FAILED, Stage.STABLEHLO)
    there = result(ADD, "iree", Outcome.FAILED, Stage.COMPILE)
    found = coverage(models(("a", "cpu", [here], 1), ("a", "iree", [there], 1)), ["n150"])
    assert states(found, "n150") == {"aten.add.Tensor": State.PENDING}


def test_what_was_found_and_never_begun_is_unknown() -> None:
    (cpu,) = coverage(models(("bert", "cpu", [result(ADD, "cpu")], 5))).by_device
    assert cpu.unknown == 4 and cpu.states[State.COVERED] == 1


def test_models_are_counted_once_and_the_sweep_beside_them() -> None:
    again = an_op("aten.add.Tensor", ((7, 7), "float32"))
    found = coverage(
        models(
            ("bert", "cpu", [result(ADD, "cpu")], 1),
            ("bert", "n150", [result(ADD, "n150")], 1),
            (SWEEP, "cpu", [result(ADD, "cpu"), result(again, "cpu")], 2),
        )
    )
    (row,) = found.rows
    assert (row.models, row.nodes, row.cases) == (1, 3, 2)


RESULTS = st.builds(
    result,
    st.sampled_from([ADD, FFT, WIDE]),
    st.just("x"),
    st.sampled_from(list(Outcome)),
    st.sampled_from(list(Stage)),
)
WALKS = st.tuples(
    st.sampled_from(["bert", "vit", SWEEP]),
    st.sampled_from(["cpu", "n150"]),
    st.lists(RESULTS, max_size=4),
    st.integers(0, 9),
)


@given(st.lists(WALKS, max_size=5))
def test_every_use_has_one_state_on_every_device(
    walks: list[tuple[str, str, list[OpResult], int]],
) -> None:
    found = coverage(models(*walks), ["p150"])
    for one in found.by_device:
        assert sum(one.states.values()) == len(found.rows) and one.good <= one.states[State.COVERED]
    for row in found.rows:
        assert row.seen.keys() == set(found.devices)
        assert all((one.outcome is None) == bool(one.why) for one in row.seen.values())


def test_sheet_and_terminal_show_it() -> None:
    walked = models(("bert", "cpu", [result(ADD, "cpu")], 1))
    book = openpyxl.load_workbook(io.BytesIO(render(walked, Addresses(Path("x")), ["n150"])))
    cells = [[cell.value for cell in row] for row in book["Op coverage"].iter_rows()]
    assert [row[0] for row in cells if str(row[0]).startswith("cpu:")] == [
        "cpu: 1 covered, 0 pending, 0 excluded, 0 unknown"
    ]
    (row,) = (row for row in cells if row[0] == "aten.add.Tensor")
    assert row[:8] == [
        *("aten.add.Tensor", "f32", "2", 1, 3, 0),
        *("covered, PASSED", "pending: bert did not go op by op here"),
    ]
    console = Console(file=io.StringIO(), width=120)
    for piece in coverage_of(coverage(walked, ["n150"])):
        console.print(piece)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "op coverage: 1 use of 1 op" in said and "pending on n150: 1" in said


def test_what_no_device_has_seen_and_which_model_would_show_most() -> None:
    good = [result(ADD, "cpu"), result(WIDE, "cpu")]
    refused = result(FFT, "cpu", Outcome.INFRA)
    found = coverage(models(("bert", "cpu", [*good, refused], 3), ("vit", "cpu", good[:1], 1)))
    assert [row.use.name for row in found.nowhere] == ["aten.fft_fft.default"]
    assert found.nowhere[0].why == "pending: the machine failed: INFRA"
    beside = coverage(models(("bert", "cpu", good, 2), ("vit", "cpu", good[:1], 1)), ["n150"])
    assert beside.nowhere == []
    assert beside.next_walk("n150") == ("bert", 2) and beside.next_walk("cpu") == ("", 0)


def trends(*results: Sequence[int], run: str = "n2") -> Trends:
    """Ops a, b, c by nights."""
    nights = tuple(Moment(f"n{i}", float(i)) for i in range(len(results[0])))
    counts = np.array(results, "<u4").tobytes()
    names = ("a", "b", "c")[: len(results)]
    return Trends(
        schema=TRENDS_SCHEMA,
        run=run,
        nights=nights,
        outcomes=(),
        ops=names,
        op_results=counts,
        op_bad=counts,
    )


def test_a_new_op_is_one_of_no_earlier_night() -> None:
    assert new_names(trends([1, 0, 1], [0, 0, 2], [0, 1, 0])) == ["b"]
    assert new_names(trends([0, 0, 1], [0, 0, 2])) == [], "nothing went op by op before"
    assert new_names(trends([1, 0, 1], [0, 4, 2], [0, 0, 3], run="n1")) == ["b"]
    assert new_names(trends([1, 1, 1], run="n0")) == [] and new_names(None) == []
