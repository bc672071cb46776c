# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One table of metrics: which way is better, and the worst of what is asserted."""

import math

import pytest

from bringup.harness.records.metrics import METRICS, kind_of_metric, worst
from bringup.harness.records.schema import Check, Metric, MetricState
from bringup.harness.verify import compare
from bringup.harness.verify.tolerances import Tolerances
from tests.unit.made_outputs import X, check


def of(name: str, *values: float | None, asserted: bool = True) -> list[Check]:
    return [Check(name, Metric.of(value), None, True, asserted) for value in values]


@pytest.mark.parametrize("name", [k.name for k in METRICS.values() if k.more_is_better])
def test_of_a_metric_of_which_more_is_better_the_least_is_the_worst(name):
    assert worst(of(name, 0.999, 0.2, 0.5), name) == Metric.of(0.2)
    assert worst(of(name, 0.2, -math.inf), name) == Metric.of(-math.inf)
    assert worst(of(name, math.inf, 0.2), name) == Metric.of(0.2)


@pytest.mark.parametrize("name", [k.name for k in METRICS.values() if not k.more_is_better])
def test_of_every_other_the_largest_is(name):
    assert worst(of(name, 1.0, 3.0, 2.0), name) == Metric.of(3.0)
    assert worst(of(name, 3.0, math.inf), name) == Metric.of(math.inf)


@pytest.mark.parametrize("name", METRICS)
def test_not_a_number_is_the_worst_and_undefined_is_nothing_beside_a_number(name):
    assert worst(of(name, 0.5, math.nan, math.inf, -math.inf), name) == Metric(MetricState.NAN)
    assert worst(of(name, None, 0.5), name) == Metric.of(0.5)
    assert worst(of(name, None), name) == Metric(MetricState.UNDEFINED)
    assert worst([], name) is None


def test_what_is_not_asserted_does_not_stand_beside_what_is():
    checks = [*of("pcc", 0.9999), *of("pcc", -0.906, asserted=False)]
    assert worst(checks, "pcc") == Metric.of(0.9999)
    assert worst(checks[1:], "pcc") == Metric.of(-0.906)


def test_every_metric_that_is_checked_is_in_the_table():
    outputs = compare([X, 1, "a"], [X + 1, 2, "b"], Tolerances(ulps=1.0))
    outputs += compare([X], [])
    assert {c.metric for o in outputs for c in o.checks} <= set(METRICS)
    assert check("pcc", compare(X, X + 1)).metric == "pcc"
    assert not kind_of_metric("of another program").more_is_better
