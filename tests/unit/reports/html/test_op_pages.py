# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The page of a model op by op."""

from pathlib import Path

import openpyxl

from bringup.harness.records.schema import Outcome
from bringup.reports.build import build
from bringup.reports.html.op_pages import page_of
from bringup.reports.reporter import ArtifactChoice
from bringup.reports.xlsx import ops as ops_xlsx
from tests.unit.reports.op_runs import (
    CPU,
    HEADER_ROW,
    HOSTILE,
    T5,
    WRONG,
    low,
    ops_run,
    summary_of,
)
from tests.unit.run_builder import keep, op_result


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
    assert sum(1 for _ in book["All Ops"].iter_rows()) == HEADER_ROW + 3000 + 11  # totals


def test_the_page_of_an_op_says_what_it_is_and_how_it_was_judged(tmp_path: Path) -> None:
    ops_run(tmp_path, {CPU: [op_result(0, device="cpu"), WRONG]})
    build(tmp_path)
    (page,) = (tmp_path / "ops").glob("*.html")
    text = page.read_text()
    assert WRONG.verdict.op.key in text
    assert f"fingerprint <bdi>{WRONG.verdict.fingerprint[:20]}" in text.replace("&#39;", "'")
    assert "compared with <bdi>torch</bdi>" in text


def test_artifacts_of_good_ops_are_linked_where_the_run_keeps_them(tmp_path: Path) -> None:
    here, gone = keep(tmp_path, "here"), keep(tmp_path / "elsewhere", "gone")
    ops_run(tmp_path, {CPU: [op_result(0, device="cpu", artifacts=(here, gone))]}, Outcome.PASSED)
    build(tmp_path)
    assert len(list((tmp_path / "ir").iterdir())) == 1
    (page,) = (tmp_path / "ops").glob("*.html")
    assert page.read_text().count('href="../ir/') == 1
    build(tmp_path, ArtifactChoice.FAILED)
    assert 'href="../ir/' not in page.read_text()
