# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them. Nothing here rounds a figure across a threshold upwards."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal

from bringup.harness.records.schema import Metric, MetricState

_STATE_NAMES = {
    MetricState.NAN: "NaN",
    MetricState.POSITIVE_INFINITY: "+inf",
    MetricState.NEGATIVE_INFINITY: "-inf",
    MetricState.UNDEFINED: "undefined",
}
_MIB = 1 << 20


@dataclass(frozen=True)
class Share:
    """`part` of `whole`; a share of nothing is not 0 %, it is no figure at all."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """0 to 100; None when there is nothing to have a share of."""
        return 100.0 * self.part / self.whole if self.whole else None

    @property
    def text(self) -> str:
        """`14/20 (70 %)`, rounded down, so that only all of them read 100 %."""
        if self.percent is None:
            return "n/a"
        return f"{self.part}/{self.whole} ({math.floor(self.percent)} %)"


def metric_cell(metric: Metric | None) -> float | str | None:
    """A number at full precision, its state when it is not one, None when never computed."""
    if metric is None:
        return None
    if metric.state is MetricState.VALUE and is_number(metric.value):
        return metric.value
    return _STATE_NAMES.get(metric.state, "undefined")


def metric_text(metric: Metric | None) -> str:
    """`metric_cell` as text at full precision; empty when never computed."""
    value = metric_cell(metric)
    return "" if value is None else number_text(value)


def number_text(value: float | str) -> str:
    """A number with all its digits; `0` and not `0.0`."""
    return str(value).removesuffix(".0")


def pcc_text(metric: Metric | None) -> str:
    """A correlation to six decimals, rounded down: 0.9999999 must not read as 1."""
    value = metric_cell(metric)
    if not isinstance(value, float) or abs(value) > 1000:
        return metric_text(metric)
    return f"{Decimal(repr(value)).quantize(Decimal('1e-6'), ROUND_FLOOR).normalize():f}"


def is_number(value: float | None) -> bool:
    """True for a finite number; sums of hostile numbers can be infinite."""
    return value is not None and math.isfinite(value)


def seconds(value: float | None) -> str:
    """`8.9 ms`, `3.1 s`, `12 min 05 s`, `2 h 01 min`."""
    if value is None or not math.isfinite(value):
        return ""
    if abs(value) < 0.1:
        return f"{1000 * value:.3g} ms"
    if value < 10:
        return f"{value:.3g} s"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    return sum(known) if known else None


def mebibytes(size: int | None) -> float | None:
    """Bytes as MiB with one decimal."""
    return None if size is None else round(size / _MIB, 1)


def size_text(size: int | None) -> str:
    """`312 B`, `4.2 KiB`, `1.5 GiB`."""
    if size is None:
        return ""
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def moment(epoch: float | None) -> datetime | None:
    """Seconds since the epoch as UTC without a zone; None for what no calendar has."""
    if epoch is None or not epoch >= 0:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):
        return None


def moment_text(epoch: float | None) -> str:
    """`2026-11-22 03:12:09 UTC`; empty when unknown."""
    when = moment(epoch)
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else ""


def date_text(epoch: float | None) -> str:
    """`27 Nov 2026`; empty when unknown."""
    when = moment(epoch)
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}" if when else ""


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""As every reader has them, whatever the machine's language is."""
