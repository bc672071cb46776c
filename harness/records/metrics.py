# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every metric that a check can have, which way is better, and the worst of many: once, for all.

Whoever shows or judges a metric asks here: the harness for an op, a record for its test, every
document for its columns. A new metric is three files: a line here, what measures it
(`verify/metrics.py` or a sibling), and the check that holds it to something (`verify/checks.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bringup.harness.records.values import Check, Metric, MetricState


@dataclass(frozen=True)
class MetricKind:
    """What a metric's numbers mean."""

    name: str
    says: str
    unit: str = ""
    """Empty for ratios."""
    more_is_better: bool = False
    fact: bool = False
    """A matter of yes or no: its check has no number to show."""
    counts: bool = False
    """Its number is how many elements are wrong."""
    title: str = ""
    """Above a column of its own in tables of tests; empty: it is shown with its output only."""


METRICS: dict[str, MetricKind] = {
    kind.name: kind
    for kind in (
        MetricKind("structure", "the same leaves on both sides", fact=True),
        MetricKind("shape", "the same shape", fact=True),
        MetricKind("dtype", "the same kind of dtype", fact=True),
        MetricKind("nonfinite", "NaN, infinities and fills in the same places", counts=True),
        MetricKind("pcc", "Pearson's correlation", more_is_better=True, title="PCC"),
        MetricKind("cosine", "cosine of the angle between the two", more_is_better=True),
        MetricKind("sqnr", "signal to noise", unit="dB", more_is_better=True),
        MetricKind("iou", "intersection over union", more_is_better=True),
        MetricKind("row_l2", "error of the worst row or slice as a part of its own norm"),
        MetricKind("element", "error of the worst element as a part of its, or its row's, size"),
        MetricKind("ulps", "`row_l2` in units of the device's arithmetic", unit="ulp"),
        MetricKind("atol", "max|actual - golden|", unit="the output's", title="atol"),
        MetricKind("relative_atol", "max|actual - golden| / max|golden|"),
        MetricKind("relative_l2", "||actual - golden|| / ||golden||"),
        MetricKind("allclose", "elements beyond atol + rtol |golden|", counts=True),
        MetricKind("exact", "elements that differ", counts=True),
        MetricKind("tokens", "sequences whose text differs", counts=True),
    )
}


def kind_of_metric(name: str) -> MetricKind:
    """What a metric is; of one that is not known here, less is better."""
    return METRICS.get(name) or MetricKind(name, "")


def titled() -> list[MetricKind]:
    """The metrics that have a column of their own in tables of tests."""
    return [kind for kind in METRICS.values() if kind.title]


def worst(checks: Iterable[Check], name: str) -> Metric | None:
    """The worst `name` among the checks that assert it, or among all where none does.

    A metric that was recorded and asserted nothing (the correlation of a gradient that is zero by
    mathematics, say) does not stand for an output beside those that did.
    """
    of_name = [check for check in checks if check.metric == name]
    asserted = [c.measured for c in of_name if c.asserted]
    return worst_of(asserted or [c.measured for c in of_name], name)


def worst_of(measured: Iterable[Metric], name: str) -> Metric | None:
    """The worst of what was measured of the metric `name`.

    Not-a-number is worse than any number, an infinity on the bad side worse than the rest. None
    when it was never computed; undefined when it is so everywhere.
    """
    found = list(measured)
    defined = [m for m in found if m.state is not MetricState.UNDEFINED]
    if not defined:
        return found[0] if found else None
    sign = 1 if kind_of_metric(name).more_is_better else -1
    return min(defined, key=lambda metric: _rank(metric, sign))


def _rank(metric: Metric, sign: int) -> tuple[int, float]:
    """Smallest for the worst; `sign` is 1 where more is better, else -1."""
    if metric.state is MetricState.NAN:
        return -2, 0.0
    if metric.state is MetricState.POSITIVE_INFINITY:
        return sign, 0.0
    if metric.state is MetricState.NEGATIVE_INFINITY:
        return -sign, 0.0
    return 0, sign * (metric.value or 0.0)
