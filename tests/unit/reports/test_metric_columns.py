# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A metric is a line in one table: whatever measures it, documents have its column."""

import io
from pathlib import Path

import openpyxl
import pytest

from bringup.harness.records.metrics import METRICS, MetricKind, titled
from bringup.harness.records.schema import Check, Metric, OutputCheck
from bringup.pipeline.results.junit import write_junit
from bringup.reports.addresses import Addresses
from bringup.reports.build import load
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.run_page import render as render_page
from bringup.reports.xlsx.models import render
from tests.unit.reports.html.unpacked import details
from tests.unit.reports.xlsx.test_models import rows_of
from tests.unit.run_builder import record, write_run


def measured(path: str, value: float) -> OutputCheck:
    return OutputCheck(path, (4,), "float32", (Check("psnr", Metric.of(value), 30, True, True),))


@pytest.mark.parametrize(("more_is_better", "worst"), [(True, 31.5), (False, 47.25)])
def test_a_new_metric_has_its_column_with_the_worst_of_all_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more_is_better: bool, worst: float
) -> None:
    kind = MetricKind("psnr", "peak", unit="dB", more_is_better=more_is_better, title="PSNR")
    monkeypatch.setitem(METRICS, kind.name, kind)
    test = record(outputs=(measured("a", 47.25), measured("b", 31.5)))
    run = load(write_run(tmp_path, [test]))
    (row,) = rows_of(openpyxl.load_workbook(io.BytesIO(render(run, Addresses(tmp_path))))["Models"])
    assert row["worst PSNR"].value == worst
    assert list(row).index("worst PSNR") == list(row).index("worst atol") + 1
    (detail,) = details(render_page(run, ArtifactPages({})))
    assert ["worst PSNR", f"{worst:.4g}"] in detail["f"]
    assert {check[0] for output in detail["o"] for check in output[3]} == {"psnr"}
    junit = write_junit(tmp_path / "junit.xml", [test]).read_text()
    assert f'name="psnr" value="{worst}"' in junit


def test_a_metric_without_a_title_has_no_column() -> None:
    assert [kind.title for kind in titled()] == ["PCC", "atol"]
