# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What models would take on devices, on the page and in the spreadsheet."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bringup.harness.records.estimates import ASSUMPTION, Bound, Estimate, Memory, Source, span
from bringup.harness.records.schema import Outcome, Stage, StageResult, Status, TestRecord
from bringup.reports.addresses import Addresses
from bringup.reports.build import load
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.estimate_data import AT_LEAST, BY_MEMORY, KNOWN, REFUSED, TOO_LARGE
from bringup.reports.html.run_page import render as page
from bringup.reports.model.run import RunSummary
from bringup.reports.text.estimates import facts, time_text
from bringup.reports.xlsx.models import render as workbook
from tests.unit.reports.html.unpacked import columns, details, texts
from tests.unit.run_builder import identity, record, write_run

GIB = 1 << 30
FITS = Estimate(
    memory=Memory(4 * GIB, GIB, available=80 * GIB, temporaries=3 * GIB, code=0),
    flops=3e12,
    bytes=2e9,
    source=Source.COMPILER,
    seconds=0.006,
    bound=Bound.COMPUTE,
    rate="tf32",
)
TOO_MUCH = Estimate(
    memory=Memory(90 * GIB, GIB, available=16 * GIB, source=Source.PROGRAM),
    flops=3e12,
    bytes=9e10,
    source=Source.PROGRAM,
    seconds=0.11,
    bound=Bound.MEMORY,
    rate="bf16",
    refused=True,
)


def taken(device: str, one: Estimate | None, model: str = "t5") -> TestRecord:
    outcome = Outcome.REACHED if one is None or one.fits else Outcome.DOES_NOT_FIT
    compiled = StageResult(Stage.COMPILE, ok=True, wall_s=1.0, estimate=one)
    return record(identity(model, device), outcome, Status.CONVERTED_TO_TTNN, stages=(compiled,))


@pytest.fixture
def run(tmp_path: Path) -> RunSummary:
    records = [
        *(taken("h100", FITS), taken("tpu-v5e", TOO_MUCH), taken("n150", None)),
        taken("n150", None, "<script>"),
    ]
    return load(write_run(tmp_path, records))


def test_the_page_has_what_a_model_takes_on_each_device(run: RunSummary) -> None:
    html = page(run, ArtifactPages({}))
    found: dict[str, Any] = columns(html, "estimates-data")
    assert found["flags"] == [
        *(0, 0, 0),  # `<script>` has no estimate on any device
        *(KNOWN, 0, KNOWN | TOO_LARGE | BY_MEMORY | AT_LEAST | REFUSED),
    ]
    assert found["room"] == [0, 0, 0, 80 * 1024, 0, 16 * 1024]
    assert [bool(code) for code in found["time"]] == [False, False, False, True, False, True]
    assert ASSUMPTION.partition("'")[0] in html and 'id="estimates"' in html
    said = texts(details(html))
    assert "8.0 GiB of 80.0 GiB: arguments 4.0 GiB, outputs 1.0 GiB, temporaries 3.0 GiB" in said
    assert "at least 6 ms, bound by compute, at the peak rate of tf32" in said
    assert "does not fit: at least 91.0 GiB of 16.0 GiB" in said


def test_a_run_without_estimates_has_no_section_and_no_sheet(tmp_path: Path) -> None:
    without = load(write_run(tmp_path, [record(identity("t5", "cpu"))]))
    html = page(without, ArtifactPages({}))
    assert "estimates-data" not in html.partition("<script>")[0] and 'id="estimates"' not in html
    book = openpyxl.load_workbook(io.BytesIO(workbook(without, Addresses(tmp_path))))
    assert "Estimates" not in book.sheetnames
    assert "estimate s" not in [cell.value for cell in book["Models"][5]]


def test_the_spreadsheet_has_the_figures_and_the_matrix(run: RunSummary, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(run, Addresses(tmp_path))))
    sheet = book["Models"]
    titles = [cell.value for cell in sheet[5]]
    rows = [
        dict(zip(titles, [c.value for c in row], strict=True)) for row in sheet.iter_rows(min_row=6)
    ]
    by_device = {row["device"]: row for row in rows if row["model"] == "t5"}
    assert by_device["h100"]["fits"] == "yes" and by_device["tpu-v5e"]["fits"] == "no"
    assert by_device["h100"]["estimate s"] == 0.006 and by_device["h100"]["bound by"] == "compute"
    assert by_device["h100"]["needs MiB"] == 8 * 1024 and by_device["n150"]["fits"] is None
    matrix = [[cell.value for cell in row] for row in book["Estimates"].iter_rows(min_row=5)]
    assert matrix[:2] == [
        ["test", "h100", "tpu-v5e"],
        ["t5[full-eval]", "fits, ≥ 6 ms, compute-bound", "does not fit: 91.0 GiB of 16.0 GiB"],
    ]
    assert str(book["Estimates"]["A3"].value).startswith("an estimate, not a measurement")


def test_a_time_is_said_in_a_unit_that_fits_it() -> None:
    said = [span(seconds) for seconds in (4.32e-8, 4.32e-5, 0.0043, 4.3, 0.0)]
    assert said == ["43.2 ns", "43.2 µs", "4.3 ms", "4.3 s", "0 s"]
    unknown = Estimate(memory=FITS.memory, flops=0, bytes=0, source=Source.PROGRAM)
    assert time_text(unknown) == "" and facts(None) == []
