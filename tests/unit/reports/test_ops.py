# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops in documents: JSON in tt-torch's names, spreadsheet, markdown, pages and the terminal."""

import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

from bringup.harness.records.schema import Identity, OpResult, Outcome, Stage, Status
from bringup.reports import markdown as ops_markdown
from bringup.reports import ops_json as ops_export
from bringup.reports.build import build, build_ops, load
from bringup.reports.cli import main
from bringup.reports.errors import ReportError
from bringup.reports.html.op_pages import page_of
from bringup.reports.model.run import RunSummary
from bringup.reports.terminal import pieces
from bringup.reports.xlsx import ops as ops_xlsx
from tests.unit.run_builder import STARTED, identity, keep, op_result, record, write_run

HEADER_ROW = 4
T5 = identity("t5", flow="op_by_op_torch")
VIT = identity("vit", flow="op_by_op_torch")
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> | \x1b[31m\x00 \u202e"
FIELDS = """framework_op_name torch_name frontend backend model_name model_group global_op_idx
input_shapes input_tensors output_shapes output_tensors num_ops compilation_status torch_ir_graph
stable_hlo_graph stable_hlo_ops ttir_graph ttnn_graph runtime_stack_dump pcc atol compiled_json"""
TENSOR_FIELDS = {"shape", "data_type", "buffer_type", "layout", "grid_shape"}

Ops = dict[Identity, list[OpResult]]


def low(index: int = 0, **fields: Any) -> OpResult:
    return op_result(index, Status.CONVERTED_TO_STABLE_HLO, Outcome.FAILED, **fields)


def run_of(run_dir: Path, ops: Ops, created: float = STARTED, name: str = "") -> Path:
    records = [record(test, model_name=name or test.model) for test in ops]
    return write_run(run_dir, records, ops=ops, created=created)


def summary_of(run_dir: Path, ops: Ops, **fields: Any) -> RunSummary:
    return load(run_of(run_dir, ops, **fields))


def book_of(run: RunSummary) -> Any:
    return openpyxl.load_workbook(io.BytesIO(ops_xlsx.render(run.ops)))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    titles = [cell.value for cell in sheet[HEADER_ROW]]
    below = sheet.iter_rows(min_row=HEADER_ROW + 1, values_only=True)
    return [dict(zip(titles, row, strict=True)) for row in below if row[0] is not None]


# --- JSON ------------------------------------------------------------------------------------


def test_the_export_has_the_field_names_people_know(tmp_path: Path) -> None:
    text = """module attributes {stablehlo.kept = 1} {
      %0 = stablehlo.add %a, %b : tensor<2xf32>
      %1 = "stablehlo.gather"(%0) <{n = #stablehlo.gather<offset_dims = [1]>}> : !stablehlo.token
      %2 = stablehlo.reduce(%1 init: %c) applies stablehlo.add : tensor<2xf32>
      %3 = stablehlo.composite "chlo.top_k" %2
    }"""
    levels = {"stablehlo": text, "ttir": "ttir text", "stderr": "careful"}
    kept = tuple(keep(tmp_path, content, level) for level, content in levels.items())
    bad = low(1, artifacts=(keep(tmp_path, "graph", "torch_ir"),), stage=Stage.STABLEHLO)
    build(run_of(tmp_path, {T5: [op_result(0, artifacts=kept), bad]}))
    path = tmp_path / "models" / "t5[op_by_op_torch-eval]@n150_unique_ops.json"
    good, failed = json.loads(path.read_text()).values()
    assert set(good) >= set(FIELDS.split())
    assert good["stable_hlo_graph"] == text
    names = ["add", "gather", "reduce", "add", "composite"]
    assert good["stable_hlo_ops"] == [f"stablehlo.{name}" for name in names]
    assert (good["ttir_graph"], good["ttnn_graph"]) == ("ttir text", None)
    assert (good["stderr"], failed["stderr"]) == ("careful", None)
    assert (good["compilation_status"], good["num_ops"], good["pcc"]) == (7, 3, 0.99998712)
    assert set(good["input_tensors"][0]) == set(
        ["shape", "data_type", "buffer_type", "layout", "grid_shape"]
    )
    assert failed["torch_ir_graph"] == "graph"
    assert "failed to legalize" in failed["runtime_stack_dump"]
    assert failed["pcc"] is None


def test_export_names_are_whole_and_never_collide(tmp_path: Path) -> None:
    same = "a" * 28
    variants = [
        f"{same}_one",
        f"{same}_two",
        "../../etc/x",
        "..%2F",
        ".",
        "_unique_ops.json",
        "é/ü",
    ]
    ops = {identity("m", flow="op_by_op_torch", variant=v): [op_result()] for v in variants}
    build(run_of(tmp_path, ops))
    names = [path.name for path in (tmp_path / "models").iterdir()]
    assert len(names) == len(variants)
    assert any(f"{same}_one" in name for name in names)
    assert not (tmp_path.parent / "etc").exists()


def test_a_name_too_long_for_a_file_keeps_its_beginning(tmp_path: Path) -> None:
    long = [identity("m" * 300 + end, flow="op_by_op_torch") for end in ("a", "b")]
    build(run_of(tmp_path, {test: [op_result()] for test in long}))
    names = {path.name for path in (tmp_path / "models").iterdir()}
    assert len(names) == 2
    assert all(name.startswith("m" * 100) and len(name) <= 255 for name in names)


def test_a_lost_text_is_null_and_a_sentence(tmp_path: Path) -> None:
    artifact = keep(tmp_path / "elsewhere", "module {}")
    built = build(run_of(tmp_path / "run", {T5: [op_result(0, artifacts=(artifact,))]}))
    (path,) = (tmp_path / "run" / "models").iterdir()
    assert next(iter(json.loads(path.read_text()).values()))["stable_hlo_graph"] is None
    assert len(built.losses) == 1


def test_exports_of_earlier_builds_go_and_links_are_refused(tmp_path: Path) -> None:
    build(run_of(tmp_path / "run", {T5: [op_result()], VIT: [op_result()]}))
    build(run_of(tmp_path / "run", {VIT: [op_result()]}))
    assert len(list((tmp_path / "run" / "models").iterdir())) == 1
    assert len(list((tmp_path / "run" / "ops").iterdir())) == 1
    (tmp_path / "there").mkdir()
    run_of(tmp_path / "other", {T5: [op_result()]})
    (tmp_path / "other" / ops_export.FOLDER).symlink_to(tmp_path / "there")
    with pytest.raises(ReportError, match="is a link"):
        build(tmp_path / "other")


def test_an_op_that_ran_and_was_compared_with_nothing_is_seen_everywhere(tmp_path: Path) -> None:
    alone = op_result(1, outcome=Outcome.REACHED, pcc=None, uncompared="nobody knows <fft>")
    build(run_of(tmp_path, {T5: [op_result(0), alone]}))
    (exported,) = (tmp_path / "models").iterdir()
    good, odd = json.loads(exported.read_text()).values()
    assert (good["golden"], good["uncompared"]) == ("torch", "")
    assert (odd["golden"], odd["uncompared"]) == ("", "nobody knows <fft>")
    book = openpyxl.load_workbook(tmp_path / ops_xlsx.NAME)
    (model, _) = rows_of(book["Summary"])[:2]
    assert (model["not compared"], model["executed"]) == (1, "2/2")
    said = [row["compared with"] for row in rows_of(book["t5 n150"])]
    assert said == ["torch", "not compared: nobody knows <fft>"]
    (page,) = (tmp_path / "ops").glob("*.html")
    assert "1 not compared" in page.read_text()
    assert "not compared: nobody knows &lt;fft&gt;" in page.read_text()


# --- spreadsheet -----------------------------------------------------------------------------


def test_the_summary_counts_what_every_model_reached(tmp_path: Path) -> None:
    slow = op_result(3, Status.CONVERTED_TO_TTIR, Outcome.TIMEOUT)
    dead = op_result(4, Status.CONVERTED_TO_TTNN, Outcome.CRASHED, stage=Stage.EXECUTE)
    ops = {T5: [op_result(0), op_result(1, hit=True), low(2), slow, dead], VIT: [op_result(0)]}
    sheet = book_of(summary_of(tmp_path, ops))["Summary"]
    t5, vit, whole = rows_of(sheet)[:3]
    counts = [t5[title] for title in t5 if re.match(r"\d\n", title)]
    assert counts == [0, 0, 0, 0, 1, 1, 1, 2]
    assert (t5["total"], t5["compiled to TTNN"], t5["compiled to TTNN %"]) == (5, "3/5", 0.6)
    assert (t5["executed"], t5["executed %"]) == ("2/5", 0.4)
    assert (t5["unknown errors"], t5["timeouts"], t5["cached"], t5["nodes"]) == (1, 1, 1, 15)
    assert vit["executed %"] == 1.0
    assert (whole["total"], whole["executed"], whole["compiled to TTNN"]) == (6, "3/6", "4/6")
    assert "commit 4592669d1f0c" in sheet["A2"].value
    assert "2026-11-22" in sheet["A2"].value
    assert sheet.freeze_panes == "B5"


@pytest.mark.parametrize(
    ("good", "colour"), [(10, "A9D8A0"), (8, "FFF2A8"), (5, "F9C98B"), (4, "F2A59B")]
)
def test_percent_cells_have_the_colours_of_their_bands(
    tmp_path: Path, good: int, colour: str
) -> None:
    ops = [op_result(i) if i < good else low(i) for i in range(10)]
    sheet = book_of(summary_of(tmp_path, {T5: ops}))["Summary"]
    titles = [cell.value for cell in sheet[HEADER_ROW]]
    cell = sheet.cell(HEADER_ROW + 1, titles.index("executed %") + 1)
    assert cell.fill.fgColor.rgb == f"00{colour}"


def test_a_compile_only_device_is_not_a_failure(tmp_path: Path) -> None:
    reached = op_result(0, Status.CONVERTED_TO_TTNN, Outcome.REACHED)
    run = summary_of(tmp_path, {T5: [reached]})
    book = book_of(run)
    assert rows_of(book["Summary"])[0]["executed"] == "n/a"
    assert rows_of(book["Summary"])[0]["compiled to TTNN %"] == 1.0
    assert rows_of(book["All Ops (Not Executing)"]) == []
    assert run.blockers == ()


def test_an_op_of_many_models_has_the_worst_of_all_and_the_sum(tmp_path: Path) -> None:
    good, bad = op_result(0, key="k", count=4, pcc=0.999), low(0, key="k", count=5)
    book = book_of(summary_of(tmp_path, {T5: [good], VIT: [bad]}))
    (row,) = rows_of(book["All Ops"])
    assert (row["models"], row["nodes"]) == (2, 9)
    assert row["lowest status"] == "4: CONVERTED_TO_STABLE_HLO"
    assert "failed to legalize" in row["failure"]
    assert row["PCC"] == 0.999
    (row,) = rows_of(book["All Ops (Not Executing)"])
    assert (row["models"], row["nodes"]) == (1, 5)


def test_a_sheet_per_model_with_its_full_name_inside(tmp_path: Path) -> None:
    name = "an-organisation/with-a-long-model-name-version-one"
    ops = {identity(f"m{i}", flow="op_by_op_torch"): [op_result()] for i in range(3)}
    book = book_of(summary_of(tmp_path, ops, name=name))
    own = book.sheetnames[5:]
    assert len(own) == 3
    assert all(len(title) <= 31 for title in book.sheetnames)
    assert [book[title]["A1"].value for title in own] == [name] * 3
    assert [book[title]["A2"].value[:2] for title in own] == ["m0", "m1", "m2"]


@pytest.mark.parametrize("name", ["Summary", "All Ops", "history", "a/b:c*?[x]", "'", "=1", ""])
def test_any_model_name_makes_a_sheet(tmp_path: Path, name: str) -> None:
    book = book_of(summary_of(tmp_path, {T5: [op_result()]}, name=name))
    assert len(book.sheetnames) == 6
    assert "history" not in {title.casefold() for title in book.sheetnames}


def test_the_matrix_has_a_row_per_op_name_and_a_column_per_model(tmp_path: Path) -> None:
    two = [low(0, name="aten.fft"), op_result(1, name="aten.fft")]
    book = book_of(summary_of(tmp_path, {T5: two, VIT: [op_result(0)]}))
    rows = [row[:5] for row in book["Ops x models"].iter_rows(min_row=5, values_only=True)]
    assert rows == [
        ("aten.add.Tensor", 1, "1/1", None, "1/1"),
        ("aten.fft", 1, "1/2", "1/2", None),
    ]


def test_hostile_text_is_text_and_long_text_is_cut(tmp_path: Path) -> None:
    bad = low(0, name=HOSTILE, message="=1+1\n" + "x" * 50_000)
    book = book_of(summary_of(tmp_path, {T5: [bad]}, name=HOSTILE))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "d"}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert max(map(len, texts)) <= 32_767
    failure = next(c for c in cells if str(c.value).startswith("=1+1\n"))
    assert failure.alignment.vertical == "top"
    assert any(text.endswith("[cut: longer than a cell can be]") for text in texts)
    assert not any("\x1b" in text or "\u202e" in text for text in texts)


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    run = summary_of(tmp_path, {T5: [op_result(0), low(1)]})
    assert ops_xlsx.render(run.ops) == ops_xlsx.render(load(tmp_path).ops)


# --- markdown, terminal ----------------------------------------------------------------------


def test_markdown_has_a_row_per_model_that_no_name_can_break(tmp_path: Path) -> None:
    run = summary_of(tmp_path, {T5: [op_result(0), low(1)], VIT: []}, name=HOSTILE)
    text = ops_markdown.render(run.ops)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table[:4]}) == 1
    assert "<script>" not in text
    assert "1/2 (50 %)" in text


def test_ops_that_fail_alike_are_one_line_with_all_the_models_they_block(tmp_path: Path) -> None:
    many = [low(0, name="aten.fft"), low(1, name="aten.fft")]
    lost = op_result(2, Status.NOT_STARTED, Outcome.INFRA)
    wrong = op_result(3, Status.EXECUTED, Outcome.INCORRECT)
    run = summary_of(tmp_path, {T5: [*many, lost, wrong], VIT: [*many, low(7, name="aten.topk")]})
    first, *_, second = run.blockers
    assert (first.op.name, len(first.models), first.variants, first.nodes) == ("aten.fft", 2, 2, 12)
    assert (second.op.name, len(second.models)) == ("aten.topk", 1)
    console = Console(file=io.StringIO(), width=80)
    for piece in pieces(run):
        console.print(piece)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "ops by models they block: 3" in text
    assert "aten.fft" in text
    assert first.worst.verdict.fingerprint[:40] in text


# --- pages -----------------------------------------------------------------------------------


def test_the_page_of_a_model_has_every_op(tmp_path: Path) -> None:
    text = keep(tmp_path, "module {}")
    ops = [op_result(0, hit=True), low(1, artifacts=(text,), name=HOSTILE)]
    run = summary_of(tmp_path, {T5: ops}, name=HOSTILE)
    build(tmp_path)
    page = (tmp_path / page_of(run.ops[0])).read_text()
    assert page.count('<tr id="op-') == 2
    assert "cached" in page
    folder = tmp_path / "repro" / f"{ops[1].verdict.op.key[:16]}-n150"
    assert f"nox -s repro -- {folder}<" in page
    assert 'href="../ir/' in page
    assert "<script>alert" not in page
    assert "\x1b" not in page


def test_the_run_leads_to_the_pages_and_stays_light(tmp_path: Path) -> None:
    many = [op_result(i, hit=i % 2 == 0) if i % 3 else low(i) for i in range(3000)]
    run = summary_of(tmp_path, {T5: many})
    build(tmp_path)
    index = (tmp_path / "index.html").read_text()
    assert f'href="{page_of(run.ops[0])}"' in index
    assert "Ops by models they block" in index
    assert len(index) < 200_000
    book = openpyxl.load_workbook(tmp_path / ops_xlsx.NAME, read_only=True)
    assert sum(1 for _ in book["All Ops"].iter_rows()) == HEADER_ROW + 3000


def test_a_run_without_ops_has_no_trace_of_them(tmp_path: Path) -> None:
    built = build(write_run(tmp_path, [record()]))
    assert built.ops_xlsx is None
    assert not any((tmp_path / name).exists() for name in ("models", "ops", ops_xlsx.NAME))
    assert 'id="ops"' not in (tmp_path / "index.html").read_text()


# --- all models recently run -----------------------------------------------------------------


def test_all_models_recently_run_are_in_one_spreadsheet(tmp_path: Path) -> None:
    run_of(tmp_path / "old", {T5: [low()], VIT: [op_result()]})
    run_of(tmp_path / "new", {T5: [op_result(), op_result(1)]}, STARTED + 9)
    built = build_ops(tmp_path)
    assert built.xlsx == tmp_path / "models_op_per_op.xlsx"
    rows = rows_of(openpyxl.load_workbook(built.xlsx)["Summary"])
    assert [row["total"] for row in rows[:3]] == [2, 1, 3]
    assert (tmp_path / "models_op_per_op.md").exists()
    before = built.xlsx.read_bytes()
    assert build_ops(tmp_path).xlsx.read_bytes() == before


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
    assert common == (tmp_path / "run" / ops_xlsx.NAME).read_bytes()
    assert main(["ops", "--results", str(tmp_path)]) == 0
    assert common == (tmp_path / ops_xlsx.NAME).read_bytes()
