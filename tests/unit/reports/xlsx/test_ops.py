# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models op by op as a spreadsheet."""

import re
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome, Stage, Status
from bringup.reports.addresses import Addresses
from bringup.reports.build import load
from bringup.reports.text import legend
from bringup.reports.xlsx import ops as ops_xlsx
from tests.unit.reports.op_runs import (
    CPU,
    HEADER_ROW,
    HOSTILE,
    N150,
    REACHED,
    T5,
    VIT,
    WRONG,
    book_of,
    low,
    ops_run,
    rows_of,
    summary_of,
    tint_of,
)
from tests.unit.run_builder import identity, op_result


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


def test_a_row_leads_to_its_sheet_and_totals_say_of_what_they_are(tmp_path: Path) -> None:
    on_cpu = identity("t5", device="cpu", flow="op_by_op_torch")
    book = book_of(summary_of(tmp_path, {T5: [low(1)], on_cpu: [op_result(0)]}))
    sheet = book["All Ops"]
    column = 1 + [cell.value for cell in sheet[HEADER_ROW]].index("sheet")
    links = [sheet.cell(row, column) for row in (HEADER_ROW + 1, HEADER_ROW + 2)]
    for cell in links:
        assert cell.value in book.sheetnames
        assert cell.hyperlink.location == f"'{cell.value}'!A1"
    assert len({cell.value for cell in links}) == 2
    said = [row[:3] for row in book["Summary"].iter_rows(values_only=True)]
    assert ("models total", 2, "tests of 1 model on 2 devices") in said
    assert ("fully executing", 1, None) in said


def test_a_sheet_per_model_with_its_full_name_inside(tmp_path: Path) -> None:
    name = "an-organisation/with-a-long-model-name-version-one"
    ops = {identity(f"m{i}", flow="op_by_op_torch"): [op_result()] for i in range(3)}
    book = book_of(summary_of(tmp_path, ops, name=name))
    own = book.sheetnames[6:]
    assert len(own) == 3
    assert all(len(title) <= 31 for title in book.sheetnames)
    assert [book[title]["A1"].value for title in own] == [name] * 3
    assert [book[title]["A2"].value[:2] for title in own] == ["m0", "m1", "m2"]


@pytest.mark.parametrize("name", ["Summary", "All Ops", "history", "a/b:c*?[x]", "'", "=1", ""])
def test_any_model_name_makes_a_sheet(tmp_path: Path, name: str) -> None:
    book = book_of(summary_of(tmp_path, {T5: [op_result()]}, name=name))
    assert len(book.sheetnames) == 7
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
    here = Addresses(tmp_path)
    assert ops_xlsx.render(run.ops, here) == ops_xlsx.render(load(tmp_path).ops, here)


def test_the_matrix_has_the_colour_of_the_worst_outcome(tmp_path: Path) -> None:
    same = op_result(2, name="aten.max_pool2d", device="cpu")
    sheet = book_of(load(ops_run(tmp_path, {CPU: [WRONG, same], N150: [REACHED]})))["Ops x models"]
    tints = {outcome: look.tint for outcome, look in legend.OUTCOMES.items()}
    assert tint_of(sheet, "aten.max_pool2d", 3) == tints[Outcome.INCORRECT]
    assert tint_of(sheet, "aten.add.Tensor", 4) == tints[Outcome.REACHED]


def test_a_failing_op_on_a_device_that_only_compiles_was_not_to_execute(tmp_path: Path) -> None:
    ops = {N150: [REACHED, low(1)], CPU: [op_result(0, device="cpu"), WRONG]}
    run = load(ops_run(tmp_path, ops, status=Status.CONVERTED_TO_TTNN))
    cpu, n150, whole = rows_of(book_of(run)["Summary"])[:3]
    assert (n150["device"], n150["executed"], n150["good"]) == ("n150", "n/a", "1/2")
    assert (cpu["executed"], whole["executed"], whole["good"]) == ("2/2", "2/2", "2/4")
    executed = {tally.device: tally.executed.text for tally in run.tallies}
    assert executed["n150"] == "n/a"


def test_the_matrix_counts_models_and_the_tabs_name_devices(tmp_path: Path) -> None:
    long = identity("an_organisation_with_a_very_long_name", flow="op_by_op_torch")
    ops = {N150: [REACHED], CPU: [op_result(0, device="cpu")], long: [REACHED]}
    book = book_of(load(ops_run(tmp_path, ops)))
    (row,) = rows_of(book["Ops x models"])
    assert row["models"] == 2
    tabs = book.sheetnames[6:]
    assert tabs[1:] == ["t5 cpu", "t5 n150"]
    assert tabs[0].endswith(" n150") and len(tabs[0]) == 31


def test_the_header_names_the_branch_and_the_legend_is_not_clipped(tmp_path: Path) -> None:
    sheet = book_of(load(ops_run(tmp_path, {CPU: [op_result(0, device="cpu")]})))["Summary"]
    assert "branch main, commit 4592669d1f0c" in sheet["A2"].value
    first = [cell.value for cell in sheet["A"][HEADER_ROW:] if cell.value]
    assert sheet.column_dimensions["A"].width > max(map(len, first))
