# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What documents say of ops that hold a model back: that they do, on what, at what cost."""

import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

from bringup.harness.records.schema import (
    Failure,
    Identity,
    OpResult,
    Outcome,
    Stage,
    Status,
    TestRecord,
)
from bringup.reports import markdown as ops_markdown
from bringup.reports.build import build, load
from bringup.reports.html.text_pages import Choice
from bringup.reports.model.op_results import command_of, seconds_of
from bringup.reports.model.run import RunSummary
from bringup.reports.terminal import pieces, print_summary
from bringup.reports.words import legend
from bringup.reports.xlsx import ops as ops_xlsx
from tests.unit.reports.test_ops import HEADER_ROW, book_of, low, rows_of
from tests.unit.run_builder import identity, keep, op_result, record, stages, write_run

N150 = identity("t5", flow="op_by_op_torch")
CPU = identity("t5", "cpu", flow="op_by_op_torch")
WRONG = op_result(1, outcome=Outcome.INCORRECT, name="aten.max_pool2d", pcc=0.43, device="cpu")
REACHED = op_result(0, Status.CONVERTED_TO_TTNN, Outcome.REACHED)

Ops = dict[Identity, list[OpResult]]


def run_of(run_dir: Path, ops: Ops, outcome: Outcome = Outcome.REACHED, **fields: Any) -> Path:
    """A run whose tests went through their ops and ended as `outcome`."""
    records = [record(test, outcome, model_name=test.model, **fields) for test in ops]
    return write_run(run_dir, records, ops=ops)


def printed(run: RunSummary) -> str:
    console = Console(file=io.StringIO(), width=200)
    for piece in pieces(run):
        console.print(piece)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def tint_of(sheet: Any, name: str, column: int) -> str:
    row = next(row for row in sheet.iter_rows(min_row=5) if row[0].value == name)
    return str(row[column].fill.fgColor.rgb)[2:]


# --- wrong ops -------------------------------------------------------------------------------


def test_an_op_that_computes_something_else_is_seen_wherever_ops_that_block_are(
    tmp_path: Path,
) -> None:
    run = load(run_of(tmp_path, {CPU: [op_result(0, device="cpu"), WRONG]}, Outcome.PASSED))
    text = printed(run)
    assert "ops by models they block: 1" in text
    assert "aten.max_pool2d" in text
    book = book_of(run)
    for sheet in ("All Ops (Not Executing)", "Ops by models blocked"):
        assert [row["op"] for row in rows_of(book[sheet])] == ["aten.max_pool2d"]
    (row,) = (r for r in rows_of(book["Ops x models"]) if r["op"] == "aten.max_pool2d")
    assert row["all models"] == "0/1"
    assert "aten.max\\_pool2d" in ops_markdown.render(run.ops)


def test_a_model_with_a_wrong_op_is_not_good(tmp_path: Path) -> None:
    run = load(run_of(tmp_path, {CPU: [op_result(0, device="cpu"), WRONG]}, Outcome.PASSED))
    (result,) = run.attention
    assert result.record.outcome is Outcome.INCORRECT
    assert "1 of 2 unique ops did not run right" in result.failure_line
    assert "aten.max_pool2d" in result.failure_line
    assert run.overall.good.text == "0/1 (0 %)"
    build(tmp_path)
    assert '<section id="good">' not in (tmp_path / "index.html").read_text()
    assert rows_of(book_of(run)["Summary"])[0]["outcome"] == "INCORRECT"
    assert rows_of(book_of(run)["Summary"])[0]["good"] == "1/2"


def test_what_the_machine_did_to_an_op_does_not_make_its_model_bad(tmp_path: Path) -> None:
    lost = op_result(1, Status.NOT_STARTED, Outcome.INFRA)
    run = load(run_of(tmp_path, {N150: [REACHED, lost]}, status=Status.CONVERTED_TO_TTNN))
    assert run.attention == ()
    assert run.blockers == ()


def test_an_op_that_was_under_way_when_its_test_ended_is_not_to_blame(tmp_path: Path) -> None:
    silent = op_result(1, Status.NOT_STARTED, Outcome.TIMEOUT, stage=None, spent=())
    run = load(run_of(tmp_path, {CPU: [op_result(0), silent]}, Outcome.TIMEOUT, ops_found=3))
    assert run.blockers == ()
    assert run.ops[0].good.text == "1/3 (33 %)"
    assert "1 never begun; none of the rest blocks a model" in printed(run)


def test_the_matrix_has_the_colour_of_the_worst_outcome(tmp_path: Path) -> None:
    same = op_result(2, name="aten.max_pool2d", device="cpu")
    sheet = book_of(load(run_of(tmp_path, {CPU: [WRONG, same], N150: [REACHED]})))["Ops x models"]
    tints = {outcome: look.tint for outcome, look in legend.OUTCOMES.items()}
    assert tint_of(sheet, "aten.max_pool2d", 3) == tints[Outcome.INCORRECT]
    assert tint_of(sheet, "aten.add.Tensor", 4) == tints[Outcome.REACHED]


# --- devices that only compile ---------------------------------------------------------------


def test_a_failing_op_on_a_device_that_only_compiles_was_not_to_execute(tmp_path: Path) -> None:
    ops = {N150: [REACHED, low(1)], CPU: [op_result(0, device="cpu"), WRONG]}
    run = load(run_of(tmp_path, ops, status=Status.CONVERTED_TO_TTNN))
    cpu, n150, whole = rows_of(book_of(run)["Summary"])[:3]
    assert (n150["device"], n150["executed"], n150["good"]) == ("n150", "n/a", "1/2")
    assert (cpu["executed"], whole["executed"], whole["good"]) == ("2/2", "2/2", "2/4")
    executed = {tally.device: tally.executed.text for tally in run.tallies}
    assert executed["n150"] == "n/a"


def test_a_device_that_stopped_an_op_while_executing_it_executes(tmp_path: Path) -> None:
    died = op_result(0, Status.CONVERTED_TO_TTNN, Outcome.CRASHED, stage=Stage.EXECUTE)
    run = load(run_of(tmp_path, {N150: [died]}))
    assert run.ops[0].executed.text == "0/1 (0 %)"


def test_a_device_on_which_others_ran_executes(tmp_path: Path) -> None:
    refused = {CPU: [low(1, device="cpu")]}
    assert load(run_of(tmp_path / "alone", refused)).ops[0].executed.text == "n/a"
    other = {identity("vit", "cpu", flow="op_by_op_torch"): [op_result(0, device="cpu")]}
    ops = load(run_of(tmp_path / "both", refused | other)).ops
    assert [model.executed.text for model in ops] == ["0/1 (0 %)", "1/1 (100 %)"]


# --- ops that were never begun ---------------------------------------------------------------


def test_ops_that_a_killed_test_did_not_get_to_are_counted(tmp_path: Path) -> None:
    begun = [op_result(i, device="cpu") for i in range(31)]
    run_of(tmp_path, {CPU: begun}, Outcome.KILLED, ops_found=41)
    run = load(tmp_path)
    (model, whole) = rows_of(book_of(run)["Summary"])[:2]
    assert (model["total"], model["never begun"], model["0\nNOT STARTED"]) == (41, 10, 10)
    assert (model["good"], model["compiled to TTNN"], model["executed"]) == ("31/41",) * 3
    assert whole["total"] == 41
    assert "31/41 (75 %)" in ops_markdown.render(run.ops)
    assert "10 never begun" in printed(run)
    build(tmp_path)
    (page,) = (tmp_path / "ops").glob("*.html")
    assert "10 never begun" in page.read_text()
    assert "10 never begun" in (tmp_path / "index.html").read_text()


# --- commands --------------------------------------------------------------------------------


def test_a_command_names_one_reproducer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"{WRONG.verdict.op.key[:16]}-cpu"
    (shared,) = load(run_of(Path("results/night"), {CPU: [WRONG]})).blockers
    assert shared.command == f"nox -s repro -- {name}"
    (shared,) = load(run_of(Path("elsewhere/a run"), {CPU: [WRONG]})).blockers
    assert shared.command == f"nox -s repro -- 'elsewhere/a run/repro/{name}'"
    build(Path("elsewhere/a run"))
    book = openpyxl.load_workbook(f"elsewhere/a run/{ops_xlsx.NAME}")
    for sheet in ("All Ops", "Ops by models blocked", "t5 cpu"):
        assert [row["run its reproducer"] for row in rows_of(book[sheet])] == [shared.command]
    (exported,) = Path("elsewhere/a run/models").iterdir()
    (op,) = json.loads(exported.read_text()).values()
    assert op["reproducer"] == shared.command


@pytest.mark.parametrize(
    "result",
    [
        op_result(),
        REACHED,
        op_result(0, Status.NOT_STARTED, Outcome.INFRA),
        op_result(0, Status.NOT_STARTED, Outcome.KILLED),
        op_result(0, Status.NOT_STARTED, Outcome.CRASHED, stage=None, spent=()),
    ],
    ids=["passed", "reached", "infra", "killed", "no word"],
)
def test_an_op_without_a_reproducer_has_no_command(result: OpResult) -> None:
    assert command_of(result) == ""


# --- terminal --------------------------------------------------------------------------------


def test_one_cause_on_three_devices_is_one_row_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    devices = ("cpu", "n150", "n300")
    ops: Ops = {
        identity("t5", device, flow="op_by_op_torch"): [
            low(i, name=f"aten.op_{i}", device=device) for i in range(8)
        ]
        for device in devices
    }
    run = load(run_of(Path("results/a night with a name that is long " + 60 * "x"), ops))
    text = printed(run)
    assert "ops by models they block: 8" in text
    assert len(re.findall(r"cpu, n150, n300", text)) == 8
    commands = [line.strip() for line in text.splitlines() if "nox -s repro" in line]
    assert commands == [one.command for one in run.blockers]


def test_a_command_is_never_folded(tmp_path: Path) -> None:
    built = build(run_of(tmp_path / (100 * "x"), {CPU: [WRONG]}))
    console = Console(file=io.StringIO(), width=60)
    print_summary(built, console)
    assert built.run.blockers[0].command in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_run_that_nothing_blocks_says_so_in_one_line(tmp_path: Path) -> None:
    ops = [op_result(i, device="cpu", hit=i < 2) for i in range(5)]
    text = printed(load(run_of(tmp_path, {CPU: ops}, Outcome.PASSED)))
    assert "op by op: 5 unique ops, 2 cached, 5 executed; none blocks a model\n" in text
    assert "ops by models" not in text


# --- costs -----------------------------------------------------------------------------------


def test_the_time_of_an_op_is_that_of_all_its_stages_or_unknown() -> None:
    assert seconds_of(op_result(spent=stages(Stage.TORCH_IR))) == pytest.approx(5.7)
    lost = op_result(0, Status.CONVERTED_TO_STABLE_HLO, Outcome.TIMEOUT)
    assert lost.verdict.stages[-1].wall_s is None
    assert seconds_of(lost) is None


def test_what_every_stage_cost_is_in_every_document(tmp_path: Path) -> None:
    build(run_of(tmp_path, {CPU: [op_result(0, device="cpu")]}, Outcome.PASSED))
    (path,) = (tmp_path / "models").iterdir()
    (op,) = json.loads(path.read_text()).values()
    spent = {stage["stage"]: stage for stage in op["stages"]}
    assert set(spent["compile"]) == {"stage", "ok", "wall_s", "cpu_s", "peak_rss"}
    book = openpyxl.load_workbook(tmp_path / ops_xlsx.NAME)
    for sheet in ("All Ops", "t5 cpu"):
        (row,) = rows_of(book[sheet])
        assert row["compile s"] == pytest.approx(spent["compile"]["wall_s"])
        assert row["time s"] == pytest.approx(op["wall_s"])
        assert row["CPU s"] == pytest.approx(sum(s["cpu_s"] for s in spent.values()))
        assert row["peak memory MiB"] == max(s["peak_rss"] for s in spent.values()) / (1 << 20)
    (page,) = (tmp_path / "ops").glob("*.html")
    rows = re.findall(r'<tr><th scope="row">(\w+)</th><td>([^<]+)</td>', page.read_text())
    assert [stage for stage, _ in rows] == list(spent)


def test_the_page_of_an_op_says_what_it_is_and_how_it_was_judged(tmp_path: Path) -> None:
    run_of(tmp_path, {CPU: [op_result(0, device="cpu"), WRONG]})
    build(tmp_path)
    (page,) = (tmp_path / "ops").glob("*.html")
    text = page.read_text()
    assert WRONG.verdict.op.key in text
    assert f"fingerprint <bdi>{WRONG.verdict.fingerprint[:20]}" in text.replace("&#39;", "'")
    assert "compared with <bdi>torch</bdi>" in text


def test_texts_of_good_ops_are_linked_where_the_run_keeps_them(tmp_path: Path) -> None:
    here, gone = keep(tmp_path, "here"), keep(tmp_path / "elsewhere", "gone")
    run_of(tmp_path, {CPU: [op_result(0, device="cpu", artifacts=(here, gone))]}, Outcome.PASSED)
    assert build(tmp_path).kept_pages == 1
    (page,) = (tmp_path / "ops").glob("*.html")
    assert page.read_text().count('href="../ir/') == 1
    build(tmp_path, Choice.FAILED)
    assert 'href="../ir/' not in page.read_text()


# --- sheets ----------------------------------------------------------------------------------


def test_the_matrix_counts_models_and_the_tabs_name_devices(tmp_path: Path) -> None:
    long = identity("an_organisation_with_a_very_long_name", flow="op_by_op_torch")
    ops = {N150: [REACHED], CPU: [op_result(0, device="cpu")], long: [REACHED]}
    book = book_of(load(run_of(tmp_path, ops)))
    (row,) = rows_of(book["Ops x models"])
    assert row["models"] == 2
    tabs = book.sheetnames[5:]
    assert tabs[1:] == ["t5 cpu", "t5 n150"]
    assert tabs[0].endswith(" n150") and len(tabs[0]) == 31


def test_the_header_names_the_branch_and_the_legend_is_not_clipped(tmp_path: Path) -> None:
    sheet = book_of(load(run_of(tmp_path, {CPU: [op_result(0, device="cpu")]})))["Summary"]
    assert "branch main, commit 4592669d1f0c" in sheet["A2"].value
    first = [cell.value for cell in sheet["A"][HEADER_ROW:] if cell.value]
    assert sheet.column_dimensions["A"].width > max(map(len, first))


def test_the_records_of_other_flows_stay_as_they_are(tmp_path: Path) -> None:
    failed = record(identity("vit"), Outcome.FAILED)
    op_by_op = record(CPU, Outcome.PASSED)
    run = load(write_run(tmp_path, [failed, op_by_op], ops={CPU: [WRONG]}))
    kept: dict[str, TestRecord] = {r.identity.flow: r.record for r in run.results}
    assert kept["full"] == failed
    assert kept["op_by_op_torch"].failure == Failure(
        Stage.COMPILE, "INCORRECT", run.attention[0].failure_line
    )
