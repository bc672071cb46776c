# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Whole workbooks: their parts, their links, how they print, and what opens first."""

import io
import posixpath
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest

from bringup.harness.records.night import Moment
from bringup.harness.records.schema import Outcome, Status
from bringup.harness.records.trends import TRENDS_SCHEMA, Trends
from bringup.reports.addresses import Addresses
from bringup.reports.build import load
from bringup.reports.model.headline import headline
from bringup.reports.model.ops import models_of
from bringup.reports.xlsx import models, ops
from bringup.reports.xlsx.book import Book, Frame
from bringup.reports.xlsx.bulk_rows import Column, Table
from bringup.reports.xlsx.hyperlinks import MOST, Hyperlinks, Link
from tests.unit.reports.nights import EVIL, judged_run
from tests.unit.run_builder import STARTED, identity, keep, op_result, record, stages, write_run

WALK = identity("t5", flow="op_by_op_torch")
RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


def run_with_everything(run_dir: Path) -> Path:
    kept = (keep(run_dir, "module {}", "ttnn"), keep(run_dir, "{}", "compiled_json"))
    low = op_result(
        1,
        Status.CONVERTED_TO_STABLE_HLO,
        Outcome.FAILED,
        message=EVIL + "x" * 40_000,
        artifacts=kept,
    )
    records = [record(WALK, Outcome.REACHED), record(stages=stages(artifacts=kept))]
    return write_run(run_dir, records, ops={WALK: [op_result(0, artifacts=kept), low]})


def workbooks(run_dir: Path) -> dict[str, bytes]:
    run, addresses = load(run_dir), Addresses(run_dir)
    return {"models": models.render(run, addresses), "ops": ops.render(run.ops, addresses)}


@pytest.mark.parametrize("name", ["models", "ops"])
def test_every_part_is_well_formed_and_every_relationship_leads_somewhere(
    tmp_path: Path, name: str
) -> None:
    with zipfile.ZipFile(io.BytesIO(workbooks(run_with_everything(tmp_path))[name])) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        parts = {part: ElementTree.fromstring(archive.read(part)) for part in names}
    types = {
        e.get("PartName") or "." + (e.get("Extension") or "")
        for e in parts.pop("[Content_Types].xml")
    }
    assert [
        n for n in parts if f"/{n}" not in types and f".{n.rpartition('.')[2]}" not in types
    ] == []
    outside = 0
    for part, tree in parts.items():
        if not part.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(part))
        for one in tree.iter(RELATION):
            if one.get("TargetMode") == "External":
                outside += 1
                continue
            target = str(one.get("Target"))
            whole = target[1:] if target.startswith("/") else posixpath.join(folder, target)
            assert posixpath.normpath(whole) in parts, f"{part}: {target}"
    assert outside >= 3
    strings = len(list(parts["xl/sharedStrings.xml"]))
    for part, tree in parts.items():
        if not part.startswith("xl/worksheets/sheet"):
            continue
        text = ElementTree.tostring(tree, "unicode")
        used = set(re.findall(r'<\w+:hyperlink [^>]*?id="(\w+)"', text))
        rels = parts.get(f"xl/worksheets/_rels/{posixpath.basename(part)}.rels")
        known = {one.get("Id") for one in rels.iter(RELATION)} if rels is not None else set()
        assert used <= known, part
        shared = re.findall(r't="s"[^>]*><\w+:v>(\d+)</', text)
        assert all(int(number) < strings for number in shared)


@pytest.mark.parametrize("name", ["models", "ops"])
def test_whole_sheets_print_with_their_header_on_every_page(tmp_path: Path, name: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbooks(run_with_everything(tmp_path))[name]))
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape", sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
        row = int(sheet.print_title_rows.split("$")[-1])
        assert sheet.cell(row, 1).value is not None or sheet.cell(row, 2).value
        assert sheet.print_area.split(":")[-1].count("$") == 2


def test_it_opens_on_what_changed_the_new_before_the_known(tmp_path: Path) -> None:
    run = load(judged_run(tmp_path))
    book = openpyxl.load_workbook(io.BytesIO(models.render(run, Addresses(tmp_path))))
    assert book.active.title == book.sheetnames[0] == "What changed"
    rows = [[c.value for c in row] for row in book.active.iter_rows()]
    first = {row[0]: number for number, row in reversed(list(enumerate(rows)))}
    assert rows[1][0] == " ".join(said.text for said in headline(run))
    assert str(rows[1][0]).startswith("Worse: 1 new cause breaks 1 test.")
    assert rows[2][0] == "compared with nightly-20261121 (21 Nov 2026)"
    assert first["NEW"] < first["KNOWN"] < first["Fix first"] < first["judgement"]
    assert first["regression"] < first["missing"] < first["fixed"] < first["known"]
    assert rows[first["NEW"]][1:4] == [
        "stablehlo.scatter refused by TTIR",
        "1 test of 1 model on n150",
        "since tonight",
    ]
    broken = dict(zip(rows[first["judgement"]], rows[first["regression"]], strict=True))
    days = [f"{broken[title]:%Y-%m-%d}" for title in ("since", "last good")]
    assert days == ["2026-11-22", "2026-11-21"]
    assert broken["run it again"] == "nox -s run -- 'bert[full-eval]@n150'"
    link = book.active.cell(first["regression"] + 1, 2).hyperlink
    assert re.fullmatch(r"index\.html#t-[0-9a-f]{16}", f"{link.target}#{link.location}") or (
        re.fullmatch(r"index\.html#t-[0-9a-f]{16}", link.target)
    )


def test_a_run_that_nobody_judged_says_so(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, [record(outcome=Outcome.FAILED)]))
    book = openpyxl.load_workbook(io.BytesIO(models.render(run, Addresses(tmp_path))))
    assert "Nobody judged this run" in book.active["A2"].value


def test_the_summaries_have_two_charts_of_cells_that_are_there(tmp_path: Path) -> None:
    books = workbooks(run_with_everything(tmp_path)).values()
    for book in (openpyxl.load_workbook(io.BytesIO(data)) for data in books):
        sheet = book["Summary"]
        assert len(sheet._charts) == 2
        for chart in sheet._charts:
            for series in chart.series:
                title, area = series.val.numRef.f.rsplit("!", 1)
                assert title == "'Summary'"
                cells = (
                    [c.value for row in sheet[area.replace("$", "")] for c in row]
                    if ":" in area
                    else [sheet[area.replace("$", "")].value]
                )
                assert all(isinstance(value, int | float) for value in cells if value is not None)


def test_statuses_are_told_night_by_night(tmp_path: Path) -> None:
    nights = (Moment("monday", STARTED - 86_400), Moment("tuesday", STARTED))
    trends = Trends(
        schema=TRENDS_SCHEMA,
        run="tuesday",
        nights=nights,
        tests=("a", "b"),
        outcomes=(Outcome.PASSED,),
        outcome=bytes([1, 1, 0, 1]),  # `b` was not there on monday
        status=bytes([4, 7, 0, 7]),
        **dict.fromkeys(("pcc", "seconds", "memory"), bytes(16)),
    )
    run = replace(load(judged_run(tmp_path)), trends=trends)
    book = openpyxl.load_workbook(io.BytesIO(models.render(run, Addresses(tmp_path))))
    assert len(book["Summary"]._charts) == 3
    rows = [[cell.value for cell in row] for row in book["Summary"].iter_rows()]
    by_day = {
        value: row[at + 1 :] for row in rows for at, value in enumerate(row) if value and at > 20
    }
    monday, tuesday = (by_day[day][: len(Status)] for day in ("21 Nov 2026", "22 Nov 2026"))
    assert (monday[4], sum(monday)) == (1, 1) and (tuesday[7], sum(tuesday)) == (2, 2)


def test_totals_of_models_and_of_statuses_are_there(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbooks(run_with_everything(tmp_path))["ops"]))
    summary = {row[0].value: row[1].value for row in book["Summary"].iter_rows(max_col=2)}
    assert [summary[n] for n in ("models total", "fully compiling", "fully executing")] == [1, 0, 0]
    totals = {row[0].value: row[1].value for row in book["All Ops"].iter_rows(min_row=7, max_col=2)}
    assert totals["7: EXECUTED"] == 1 and totals["4: CONVERTED_TO_STABLE_HLO"] == 1
    assert totals["all"] == 2


def test_rows_lead_to_their_sheet_their_page_and_their_kept_texts(tmp_path: Path) -> None:
    data = workbooks(run_with_everything(tmp_path))["ops"]
    book = openpyxl.load_workbook(io.BytesIO(data))
    titles = [cell.value for cell in book["All Ops"][4]]
    wanted = ("Ops", "Torch IR", "Raw SHLO", "TTIR", "TTNNIR", "Trace dump", "Compiled JSON")
    assert [t for t in titles if t in wanted] == list(wanted)
    row = book["All Ops"][5]
    links = {t: c.hyperlink.target for t, c in zip(titles, row, strict=True) if c.hyperlink}
    assert set(links) == {"sheet", "Ops", "TTNNIR", "Compiled JSON"}
    assert re.fullmatch(r"ir/[0-9a-f]{16}-ttnn\.html", links["TTNNIR"])
    own = book["Summary"]["A5"].hyperlink
    assert own.location == f"'{book.sheetnames[6]}'!A1"


def test_a_text_that_is_not_kept_is_named_and_leads_nowhere(tmp_path: Path) -> None:
    run_dir = run_with_everything(tmp_path)
    for blob in (run_dir / "blobs").rglob("*.zst"):
        blob.unlink()
    book = openpyxl.load_workbook(io.BytesIO(workbooks(run_dir)["ops"]))
    titles = [cell.value for cell in book["All Ops"][4]]
    cell = book["All Ops"].cell(5, titles.index("TTNNIR") + 1)
    assert cell.value == "ttnn, 9 B, not kept" and cell.hyperlink is None


def test_a_reached_test_has_a_model_status(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, [record(None, Outcome.REACHED, Status.CONVERTED_TO_TTNN)]))
    book = openpyxl.load_workbook(io.BytesIO(models.render(run, Addresses(tmp_path))))
    titles = [cell.value for cell in book["Models"][5]]
    row = dict(zip(titles, (c.value for c in book["Models"][6]), strict=True))
    assert row["model status"] == "REACHED CONVERTED_TO_TTNN"


def test_a_sheet_has_no_more_links_than_it_can_have() -> None:
    links = Hyperlinks()
    for number in range(MOST + 7):
        links.add(f"A{number + 1}", Link("page", "ir/x.html"))
    assert links.left_out == 7
    assert links.xml.count("<hyperlink ") == MOST
    assert links.relationships.count(b"<Relationship ") == 1


def test_more_rows_than_a_sheet_has_go_on_in_the_next() -> None:
    book = Book()
    parts = list(ops._tables(book, "All Ops", "All ops", range(5), most=2))
    assert [sheet.title for sheet, _, _ in parts] == ["All Ops", "All Ops (2)", "All Ops (3)"]
    assert [list(rows) for _, _, rows in parts] == [[0, 1], [2, 3], [4]]
    assert parts[1][1] == "All ops, from number 3 on"


def test_rows_that_share_are_what_they_would_be_alone() -> None:
    """Of two rows with one `like` and unequal sources neither gets the cells of the other."""
    rows = [("a", "same", 1), ("b", "same", 2), ("c", "other", 3), ("d", "same", 4)]

    def values(share: bool) -> list[tuple[Any, ...]]:
        book = Book()
        sheet = book.sheet("Rows")
        columns: list[Column[Any]] = [
            Column("own", lambda r: r[0], own=True),
            Column("shared", lambda r: r[1]),
            Column("number", lambda r: r[2], own=True),
            Column("page", lambda r: Link("page", f"{r[0]}.html"), own=True),
            Column("text", lambda r: Link("text", f"{r[1]}.html")),
        ]
        with book.bulk(sheet, Frame("t", ["lead"], 4, len(rows)), Table(columns)) as out:
            for row in rows:
                out.add(row, "own", "FFFFFF", "k" if share else None, row[1])
        saved = io.BytesIO(book.to_bytes(ops._NO_DATE))
        read = openpyxl.load_workbook(saved)["Rows"]
        return [
            tuple(c.hyperlink.target if c.hyperlink else c.value for c in row)
            for row in read.iter_rows(min_row=5)
        ]

    wanted = [(*row, f"{row[0]}.html", f"{row[1]}.html") for row in rows]
    assert values(share=True) == values(share=False) == wanted


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -(10**30), True, EVIL, "", None])
def test_any_value_makes_a_cell_that_opens(value: Any) -> None:
    book = Book()
    sheet = book.sheet("One")
    columns: list[Column[Any]] = [Column("v", lambda v: v)]
    with book.bulk(sheet, Frame("t", [], 3, 1), Table(columns)) as out:
        out.add(value)
    cell = openpyxl.load_workbook(io.BytesIO(book.to_bytes(ops._NO_DATE)))["One"]["A4"]
    assert cell.data_type in ("s", "n") and not str(cell.value).startswith("\x1b")
    assert not isinstance(cell.value, float)


def test_models_without_a_place_have_no_links() -> None:
    assert ops.render(models_of([]), Addresses(Path("nowhere")))
