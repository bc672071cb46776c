# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them."""

import math
from datetime import datetime

import pytest

from bringup.harness.records.schema import Metric, MetricState
from bringup.reports.text import numbers
from bringup.reports.text.numbers import Share


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
    assert numbers.pcc_text(Metric.of(pcc)) == shown


def test_a_metric_keeps_every_digit() -> None:
    assert numbers.metric_cell(Metric.of(0.9912345678901234)) == 0.9912345678901234
    assert numbers.metric_text(Metric.of(0.9912345678901234)) == "0.9912345678901234"


def test_what_is_not_a_number_is_a_word_and_what_was_not_computed_is_nothing() -> None:
    assert numbers.metric_cell(Metric.of(math.nan)) == "NaN"
    assert numbers.metric_cell(Metric(MetricState.VALUE, None)) == "undefined"
    assert numbers.metric_cell(None) is None


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
    assert numbers.seconds(value) == shown


@pytest.mark.parametrize("epoch", [None, -1.0, 1e300, math.inf, math.nan, 1e12])
def test_a_time_that_no_calendar_has_is_unknown(epoch: float | None) -> None:
    assert numbers.moment(epoch) is None
    assert numbers.moment_text(epoch) == ""


def test_times_are_utc() -> None:
    assert numbers.moment(0.0) == datetime(1970, 1, 1)
    assert numbers.moment_text(1_795_317_120.0) == "2026-11-22 03:12:00 UTC"


def test_sizes_have_a_unit() -> None:
    assert [numbers.size_text(n) for n in (None, 312, 4300, 3 << 30)] == [
        "",
        "312 B",
        "4.2 KiB",
        "3.0 GiB",
    ]
