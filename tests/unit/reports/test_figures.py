# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them, never better than they are."""

import math
from datetime import datetime

import pytest

from bringup.harness.records.schema import Metric, MetricState, Stage, StageResult
from bringup.reports.model.timeline import timeline
from bringup.reports.words import figures
from bringup.reports.words.figures import Share
from tests.unit.run_builder import record


@pytest.mark.parametrize(
    ("pcc", "shown"),
    [
        (0.9999999, "0.999999"),
        (0.98999999, "0.989999"),
        (1.0, "1"),
        (0.994, "0.994"),
        (-0.12345678, "-0.123457"),
        (0.0, "0"),
        (1e300, "1e+300"),
        (math.nan, "NaN"),
        (math.inf, "+inf"),
        (None, "undefined"),
    ],
)
def test_a_correlation_is_rounded_down(pcc: float | None, shown: str) -> None:
    assert figures.pcc_text(Metric.of(pcc)) == shown


def test_a_metric_keeps_every_digit() -> None:
    assert figures.metric_cell(Metric.of(0.9912345678901234)) == 0.9912345678901234
    assert figures.metric_text(Metric.of(0.9912345678901234)) == "0.9912345678901234"


def test_what_is_not_a_number_is_a_word_and_what_was_not_computed_is_nothing() -> None:
    assert figures.metric_cell(Metric.of(math.nan)) == "NaN"
    assert figures.metric_cell(Metric(MetricState.VALUE, None)) == "undefined"
    assert figures.metric_cell(None) is None


def test_only_all_of_them_read_100_percent() -> None:
    assert Share(1999, 2000).text == "1999/2000 (99 %)"
    assert Share(2000, 2000).text == "2000/2000 (100 %)"


def test_a_share_of_nothing_is_no_figure() -> None:
    assert Share(0, 0).text == "n/a"
    assert Share(0, 0).percent is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (math.inf, ""),
        (0.00887, "8.87 ms"),
        (0.421, "0.421 s"),
        (12.34, "12.3 s"),
        (125.0, "2 min 05 s"),
        (7260.0, "2 h 01 min"),
    ],
)
def test_seconds_read_as_people_say_them(value: float | None, shown: str) -> None:
    assert figures.seconds(value) == shown


@pytest.mark.parametrize("epoch", [None, -1.0, 1e300, math.inf, math.nan, 1e12])
def test_a_time_that_no_calendar_has_is_unknown(epoch: float | None) -> None:
    assert figures.moment(epoch) is None
    assert figures.moment_text(epoch) == ""


def test_times_are_utc() -> None:
    assert figures.moment(0.0) == datetime(1970, 1, 1)
    assert figures.moment_text(1_795_317_120.0) == "2026-11-22 03:12:00 UTC"


def test_sizes_have_a_unit() -> None:
    assert [figures.size_text(n) for n in (None, 312, 4300, 3 << 30)] == [
        "",
        "312 B",
        "4.2 KiB",
        "3.0 GiB",
    ]


# --- the line of stages ----------------------------------------------------------------------


def test_a_stage_that_did_not_come_back_takes_what_time_is_left() -> None:
    stages = (
        StageResult(Stage.LOAD, True, 2.0),
        StageResult(Stage.COMPILE, False, None),
    )
    spans = timeline(record(stages=stages, started=0.0, ended=10.0))
    assert [(s.x, s.width) for s in spans] == [(0.0, 20.0), (20.0, 80.0)]


@pytest.mark.parametrize("wall", [-5.0, 0.0, 1e308])
def test_a_line_of_impossible_times_stays_on_the_page(wall: float) -> None:
    stages = tuple(StageResult(stage, True, wall) for stage in Stage)
    for span in timeline(record(stages=stages, started=0.0, ended=1.0)):
        assert 0 <= span.x <= 100
        assert 0 <= span.width <= 100 - span.x + 0.01
