# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run's tests as a spreadsheet."""

import io
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from bringup.harness.records.moves import Move
from bringup.harness.records.schema import Metric, Outcome, Shown, Status, TestRecord
from bringup.reports.addresses import Addresses
from bringup.reports.build import load
from bringup.reports.model.run import RunSummary
from bringup.reports.text import legend
from bringup.reports.xlsx.models import render
from tests.unit.reports.xlsx.test_sheets import HOSTILE
from tests.unit.run_builder import identity, not_run, output, plan_of, record, write_run

HEADER_ROW = 5


@pytest.fixture
def built(tmp_path: Path) -> Any:
    """Write records as a run and read its spreadsheet back."""

    def build(*records: TestRecord, **run: Any) -> Any:
        summary = load(write_run(tmp_path, records, **run))
        return openpyxl.load_workbook(io.BytesIO(render(summary, Addresses(tmp_path))))

    return build


def rows_of(sheet: Any, header_row: int = HEADER_ROW) -> list[dict[str, Any]]:
    titles = [cell.value for cell in sheet[header_row]]
    return [
        dict(zip(titles, row, strict=True))
        for row in sheet.iter_rows(min_row=header_row + 1)
        if row[0].value is not None
    ]


def values(row: dict[str, Any]) -> dict[str, Any]:
    return {title: cell.value for title, cell in row.items()}


def test_models_has_a_row_per_test_and_device(built: Any) -> None:
    sheet = built(*(record(identity("t5", d)) for d in ("cpu", "n150", "n300")))["Models"]
    assert [row["device"].value for row in rows_of(sheet)] == ["cpu", "n150", "n300"]


def test_a_row_has_what_its_model_said(built: Any) -> None:
    accuracy, recall = (Shown(name=n, number=Metric.of(2 / 3)) for n in ("accuracy", "recall"))
    said = (Shown(name="text", text="HELLO"), accuracy, recall)
    sheet = built(record(identity("a"), shown=said), record(identity("b")))["Models"]
    one, other = map(values, rows_of(sheet))
    names = ("task metric", "measured", "said")
    assert [one[n] for n in names] == ["accuracy", 2 / 3, "text HELLO, recall 0.6667"]
    assert not any(other[n] for n in names)


def test_without_any_there_are_no_such_columns(built: Any) -> None:
    assert "said" not in rows_of(built(record())["Models"])[0]


def test_a_row_says_what_the_record_says(built: Any) -> None:
    failed = record(
        identity("t5", "n150", variant="base"),
        Outcome.FAILED,
        Status.CONVERTED_TO_STABLE_HLO,
        message="first line\nsecond line",
    )
    row = values(rows_of(built(failed)["Models"])[0])
    assert row["model"] == "t5"
    assert row["variant"] == "base"
    assert (row["flow"], row["mode"], row["framework"]) == ("full", "eval", "torch")
    assert row["outcome"] == "FAILED"
    assert row["status"] == "4: CONVERTED_TO_STABLE_HLO"
    assert row["model status"] == "FAILED_TTMLIR_COMPILATION"
    assert row["failing stage"] == "compile"
    assert row["failure"] == "first line"
    assert row["total s"] == 31.25
    assert row["load s"] == 0.4
    assert row["compile s"] is None, "it did not come back"
    assert row["peak memory MiB"] == 900 + 140 * 7
    assert f"{row['started UTC']:%Y-%m-%d %H:%M}" == "2026-11-22 03:12"
    assert row["run it again"].startswith("nox -s run -- 'tests/models/t5/test_t5.py::")


def test_a_metric_keeps_every_digit(built: Any) -> None:
    sheet = built(record(outputs=(output(0.9912345678901234),)))["Models"]
    assert rows_of(sheet)[0]["worst PCC"].value == 0.9912345678901234


@pytest.mark.parametrize(("pcc", "word"), [(math.nan, "NaN"), (None, "undefined")])
def test_what_is_not_a_number_is_a_word(built: Any, pcc: float | None, word: str) -> None:
    cell = rows_of(built(record(outputs=(output(pcc),)))["Models"])[0]["worst PCC"]
    assert (cell.value, cell.data_type) == (word, "s")


def test_a_name_is_never_cut(built: Any) -> None:
    name = "a_model_" * 40
    sheet = built(record(identity(name, variant=name)))["Models"]
    assert rows_of(sheet)[0]["model"].value == name
    assert rows_of(sheet)[0]["variant"].value == name


def test_the_header_is_frozen_and_every_column_can_be_filtered(built: Any) -> None:
    sheet = built(record(), record(identity("vit")))["Models"]
    assert sheet.freeze_panes == f"B{HEADER_ROW + 1}"
    assert sheet.auto_filter.ref == f"A5:{get_column_letter(sheet.max_column)}7"


def test_the_header_lines_say_when_and_with_what(built: Any) -> None:
    sheet = built(record())["Models"]
    assert sheet["A1"].value == "Models: nightly 20261122-031200-7f3a"
    where = "branch main, commit 4592669d1f0c · on ci-runner-07"
    assert sheet["A2"].value == f"2026-11-22 03:12:00 UTC · {where}"
    assert "torch 2.13.0" in sheet["A3"].value


def test_no_formula_reaches_the_file(built: Any) -> None:
    hostile = [
        record(identity(text, text, variant=text), Outcome.FAILED, message=text, model_name=text)
        for text in HOSTILE
    ]
    moves = [Move(text, text, text, text, text) for text in HOSTILE]
    book = built(*hostile, moves=moves, missing=HOSTILE, planned=99)
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert "e" not in kinds


def test_a_formula_shaped_cell_survives_saving_as_text(built: Any) -> None:
    failed = record(outcome=Outcome.FAILED, message="=1+1")
    cell = rows_of(built(failed)["Models"])[0]["failure"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1", "s", True)


def test_control_characters_and_escapes_do_not_break_the_file(built: Any) -> None:
    message = "".join(map(chr, range(32))) + "\ufffe\uffff\x1b[31mred"
    row = rows_of(built(record(outcome=Outcome.FAILED, model_name=message))["Models"])[0]
    assert row["model name"].value == "\t\n\nred"


def test_numbers_beyond_a_double_stay_exact_as_text(built: Any) -> None:
    cell = rows_of(built(record(parameters=10**30))["Models"])[0]["parameters"]
    assert (cell.value, cell.data_type) == (str(10**30), "s")


def test_the_summary_counts_every_outcome_of_every_device(built: Any) -> None:
    records = [record(identity("a", "cpu")), record(identity("b", "cpu"), Outcome.FAILED)]
    first, total = rows_of(built(*records)["Summary"])[:2]
    assert values(first)["device"] == "cpu"
    assert values(first)["PASSED"] == 1
    assert values(first)["FAILED"] == 1
    assert values(first)["TIMEOUT"] == 0
    assert values(first)["good"] == "1/2"
    assert values(first)["good %"] == 0.5
    assert values(total)["device"] == "all devices"


def test_the_summary_comes_first_and_explains_every_word(built: Any) -> None:
    book = built(record())
    assert book.sheetnames[:2] == ["What changed", "Summary"]
    words = {row[0].value for row in book["Summary"].iter_rows()}
    assert {o.value for o in Outcome} <= words
    assert {legend.status_text(s) for s in Status} <= words
    assert legend.NO_RECORD in words


def test_missing_names_what_was_planned_and_did_not_report(built: Any) -> None:
    there, gone, stopped = identity("t5"), identity("vit"), identity("yolo")
    book = built(
        record(there),
        not_run(stopped),
        plan=plan_of([there, gone, stopped]),
        planned=4,
        missing=("shard 3 of 4 never reported",),
    )
    sheet = book["Missing"]
    assert sheet["A5"].value == "shard 3 of 4 never reported"
    assert sheet["A6"].value.startswith("1 planned tests are not known even by name")
    rows = [values(row) for row in rows_of(sheet, 8)]
    assert [(row["model"], row["outcome"]) for row in rows] == [
        ("vit", "no record"),
        ("yolo", "NOT_RUN"),
    ]
    assert rows[0]["pytest id"] == "tests/models/vit/test_vit.py::test_vit[full-eval-n150]"


def test_a_torn_journal_alone_makes_a_missing_sheet(built: Any) -> None:
    book = built(record(), missing=("a.jsonl:8: the last line is torn; its event is lost",))
    assert book["Missing"]["A5"].value.startswith("a.jsonl:8")


def test_a_whole_run_has_no_missing_sheet_and_no_moves_sheet(built: Any) -> None:
    assert built(record()).sheetnames == ["What changed", "Summary", "Models"]


def test_moves_have_a_sheet_when_somebody_looked_for_them(built: Any) -> None:
    move = Move("a.py::test_a[full-eval]", "n150", "add", "nightly", "passed 3 of 3")
    sheet = built(record(), moves=[move])["Proposed list moves"]
    assert [cell.value for cell in sheet[6]] == [
        "add",
        "a.py::test_a[full-eval]",
        "n150",
        "nightly",
        "passed 3 of 3",
    ]
    assert "Proposed list moves" in built(record(), moves=[]).sheetnames


def test_a_run_of_nothing_is_a_spreadsheet(built: Any) -> None:
    assert rows_of(built()["Models"]) == []


HERE = Addresses(Path("here"))


def summary_of(run_dir: Path) -> RunSummary:
    return load(write_run(run_dir, [record(), record(identity("vit"), Outcome.CRASHED)]))


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    assert render(summary_of(tmp_path / "a"), HERE) == render(summary_of(tmp_path / "b"), HERE)


def test_no_clock_is_in_the_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(render(summary_of(tmp_path), HERE))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        properties = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", properties)) == {"2026-11-22T03:12:00Z"}


def test_a_run_without_a_sane_date_is_a_spreadsheet_too(tmp_path: Path) -> None:
    assert render(load(write_run(tmp_path, [record(started=-1e300)], created=1e300)), HERE)
