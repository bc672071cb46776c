# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What all documents of a run say together, and those on all models recently run."""

import json
import math
from pathlib import Path

import openpyxl
import pytest

from bringup.harness.records.schema import Outcome
from bringup.reports import markdown as ops_markdown
from bringup.reports.build import build, build_models, load
from bringup.reports.catalog import SHIPPED
from bringup.reports.cli import main
from bringup.reports.html.pack import LEAST, STEP
from bringup.reports.xlsx import ops as ops_xlsx
from tests.unit.reports.html.unpacked import columns
from tests.unit.reports.op_runs import (
    CPU,
    HEADER_ROW,
    T5,
    VIT,
    WRONG,
    book_of,
    low,
    ops_run,
    rows_of,
    run_of,
    summary_text,
)
from tests.unit.run_builder import STARTED, op_result, record, write_run


def test_an_op_that_ran_and_was_compared_with_nothing_is_seen_everywhere(tmp_path: Path) -> None:
    alone = op_result(1, outcome=Outcome.REACHED, pcc=None, uncompared="nobody knows <fft>")
    build(run_of(tmp_path, {T5: [op_result(0), alone]}), reporters=SHIPPED)
    (exported,) = (tmp_path / "models").iterdir()
    good, odd = json.loads(exported.read_text()).values()
    assert (good["golden"], good["uncompared"]) == ("torch", "")
    assert (odd["golden"], odd["uncompared"]) == ("", "nobody knows <fft>")
    book = openpyxl.load_workbook(tmp_path / ops_xlsx.NAME)
    (model, _) = rows_of(book["Summary"])[:2]
    assert (model["not compared"], model["executed"]) == (1, "2/2")
    said = [row["compared with"] for row in rows_of(book["t5 n150"])]
    assert said == ["torch", "not compared: nobody knows <fft>"]
    ops = columns((tmp_path / "index.html").read_text(), "ops-data")
    assert [ops["goldens"][g] for g in ops["golden"]] == said


def test_a_run_without_ops_has_no_trace_of_them(tmp_path: Path) -> None:
    built = build(write_run(tmp_path, [record()]))
    assert not built.of_models.documents
    assert not any((tmp_path / name).exists() for name in ("models", "ops", ops_xlsx.NAME))
    assert 'id="ops"' not in (tmp_path / "index.html").read_text()


def test_all_models_recently_run_are_in_one_spreadsheet(tmp_path: Path) -> None:
    run_of(tmp_path / "old", {T5: [low()], VIT: [op_result()]})
    run_of(tmp_path / "new", {T5: [op_result(), op_result(1)]}, STARTED + 9)
    xlsx = tmp_path / "models_op_per_op.xlsx"
    assert xlsx in [document.path for document in build_models(tmp_path).made.documents]
    rows = rows_of(openpyxl.load_workbook(xlsx)["Summary"])
    assert [row["total"] for row in rows[:3]] == [2, 1, 3]
    assert (tmp_path / "models_op_per_op.md").exists()
    before = xlsx.read_bytes()
    build_models(tmp_path)
    assert xlsx.read_bytes() == before


def test_the_verb_builds_it_and_says_so_when_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ops", "--results", str(tmp_path)]) == 2
    assert "op-by-op results" in capsys.readouterr().err
    run_of(tmp_path / "run", {T5: [low()]})
    assert main(["ops", "--results", str(tmp_path)]) == 0
    assert "ops by models they block: 1" in capsys.readouterr().out


def test_building_a_run_below_results_refreshes_the_common_spreadsheet(tmp_path: Path) -> None:
    run_of(tmp_path / "run", {T5: [op_result()]})
    assert main(["build", "--results", str(tmp_path)]) == 0
    assert (tmp_path / ops_xlsx.NAME).exists()
    common = (tmp_path / ops_xlsx.NAME).read_bytes()
    for path, page in ((tmp_path, "run/index.html"), (tmp_path / "run", "index.html")):
        sheet = openpyxl.load_workbook(path / ops_xlsx.NAME)["Summary"]
        targets = {c.hyperlink.target for c in sheet[HEADER_ROW + 1] if c.hyperlink}
        (target,) = (t for t in targets if t and t.startswith(page))
        assert (path / target.partition("#")[0]).is_file()
    assert main(["ops", "--results", str(tmp_path)]) == 0
    assert common == (tmp_path / ops_xlsx.NAME).read_bytes()


def test_an_op_that_computes_something_else_is_seen_wherever_ops_that_block_are(
    tmp_path: Path,
) -> None:
    run = load(ops_run(tmp_path, {CPU: [op_result(0, device="cpu"), WRONG]}, Outcome.PASSED))
    text = summary_text(run)
    assert "ops by models they block: 1" in text
    assert "aten.max_pool2d" in text
    book = book_of(run)
    for sheet in ("All Ops (Not Executing)", "Ops by models blocked"):
        assert [row["op"] for row in rows_of(book[sheet])] == ["aten.max_pool2d"]
    (row,) = (r for r in rows_of(book["Ops x models"]) if r["op"] == "aten.max_pool2d")
    assert row["all models"] == "0/1"
    assert "aten.max\\_pool2d" in ops_markdown.render(run.ops)


def test_a_model_with_a_wrong_op_is_not_good(tmp_path: Path) -> None:
    run = load(ops_run(tmp_path, {CPU: [op_result(0, device="cpu"), WRONG]}, Outcome.PASSED))
    (result,) = run.attention
    assert result.record.outcome is Outcome.INCORRECT
    assert "1 of 2 unique ops did not run right" in result.failure_line
    assert "aten.max_pool2d" in result.failure_line
    assert run.overall.good.text == "0/1 (0 %)"
    build(tmp_path, reporters=SHIPPED)
    grid = columns((tmp_path / "index.html").read_text(), "grid-data")
    assert [grid["outcomes"][code - 1][0] for code in grid["outcome"]] == ["INCORRECT"]
    assert rows_of(book_of(run)["Summary"])[0]["outcome"] == "INCORRECT"
    assert rows_of(book_of(run)["Summary"])[0]["good"] == "1/2"


def test_ops_that_a_killed_test_did_not_get_to_are_counted(tmp_path: Path) -> None:
    begun = [op_result(i, device="cpu") for i in range(31)]
    ops_run(tmp_path, {CPU: begun}, Outcome.KILLED, ops_found=41)
    run = load(tmp_path)
    (model, whole) = rows_of(book_of(run)["Summary"])[:2]
    assert (model["total"], model["never begun"], model["0\nNOT STARTED"]) == (41, 10, 10)
    assert (model["good"], model["compiled to TTNN"], model["executed"]) == ("31/41",) * 3
    assert whole["total"] == 41
    assert "31/41 (75 %)" in ops_markdown.render(run.ops)
    assert "10 never begun" in summary_text(run)
    build(tmp_path, reporters=SHIPPED)
    ((_, _, begun_ops, found, *_),) = columns((tmp_path / "index.html").read_text(), "ops-data")[
        "tests"
    ]
    assert (begun_ops, found) == (31, 41)


def test_a_command_names_one_reproducer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"{WRONG.verdict.op.key[:16]}-cpu"
    (shared,) = load(ops_run(Path("results/night"), {CPU: [WRONG]})).blockers
    assert shared.command == f"nox -s repro -- {name}"
    (shared,) = load(ops_run(Path("elsewhere/a run"), {CPU: [WRONG]})).blockers
    assert shared.command == f"nox -s repro -- 'elsewhere/a run/repro/{name}'"
    build(Path("elsewhere/a run"), reporters=SHIPPED)
    book = openpyxl.load_workbook(f"elsewhere/a run/{ops_xlsx.NAME}")
    for sheet in ("All Ops", "Ops by models blocked", "t5 cpu"):
        assert [row["run its reproducer"] for row in rows_of(book[sheet])] == [shared.command]
    (exported,) = Path("elsewhere/a run/models").iterdir()
    (op,) = json.loads(exported.read_text()).values()
    assert op["reproducer"] == shared.command


def test_what_every_stage_cost_is_in_every_document(tmp_path: Path) -> None:
    build(ops_run(tmp_path, {CPU: [op_result(0, device="cpu")]}, Outcome.PASSED), reporters=SHIPPED)
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
    ops = columns((tmp_path / "index.html").read_text(), "ops-data")
    shown = LEAST * math.exp((ops["seconds"][0] - 1) * STEP)
    assert shown == pytest.approx(op["wall_s"], rel=STEP)
