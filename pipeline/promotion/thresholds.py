# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Thresholds from the distribution of good nights: proposed, as lines to be pasted into a test.

For each test, device and dtype the newest `thresholds.nights` nights with one model and one golden
are looked at. What is proposed keeps `spread` standard deviations, and at least `room` of the
distance to a perfect value, from the worst of them. A threshold is only ever raised: to lower one a
person needs a tracked issue, and then says so on the list's entry.
"""

import enum
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from bringup.harness.records.schema import TestRecord
from bringup.pipeline.history.store.outputs import Nearness
from bringup.pipeline.promotion.policy import Thresholds


class Kind(enum.StrEnum):
    """What is proposed."""

    ENABLE_PCC = "ENABLE_PCC"
    """A check that is off would have held on every night."""
    RAISE_PCC = "RAISE_PCC"
    """There is room above what is required."""
    LOWER_PCC = "LOWER_PCC"
    """It has not held for as many nights, and an issue tracks it."""
    REMOVE_XFAIL = "REMOVE_XFAIL"
    """What is expected to fail has been good on every night."""
    ADD_CONFIG = "ADD_CONFIG"
    """Nothing is required of the largest difference, and the nights agree on one."""


class Held(NamedTuple):
    """What a test is held to now, of one dtype."""

    pcc: float | None
    pcc_asserted: bool
    atol_asserted: bool


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal."""

    kind: Kind
    test: str
    device: str
    dtype: str
    line: str
    """To be pasted: arguments of the test's `ModelTester`; of REMOVE_XFAIL what its list's entry is
    to say."""
    was: float | None
    to: float | None
    nights: int
    worst: float
    median: float
    reason: str


def held_to(records: Iterable[TestRecord]) -> dict[tuple[str, str], Held]:
    """By test and dtype, what the records' checks required."""
    found: dict[tuple[str, str], Held] = {}
    for record in records:
        for output in record.outputs:
            checks = {c.metric: c for c in output.checks}
            pcc, atol = checks.get("pcc"), checks.get("atol")
            held = Held(
                pcc.required if pcc else None,
                bool(pcc and pcc.asserted),
                bool(atol and atol.asserted),
            )
            found.setdefault((record.identity.key, output.dtype), held)
    return found


def thresholds(
    nights: Iterable[Nearness],
    held: Mapping[tuple[str, str], Held],
    policy: Thresholds,
    xfailed: Collection[str] = (),
    tracked: Mapping[str, str] | None = None,
) -> list[Threshold]:
    """What the good nights would bear, by test and dtype.

    Args:
        nights: By test, dtype and time.
        held: What is required now; of others nothing is proposed.
        policy: How many nights, and how much room.
        xfailed: Keys of tests that are expected to fail.
        tracked: By key, the issue that tracks that a threshold does not hold.
    """
    series: dict[tuple[str, str], list[Nearness]] = defaultdict(list)
    for one in nights:
        series[one.test, one.dtype].append(one)
    found = []
    for key, held_now in sorted(held.items()):
        ran = series.get(key, [])
        same = [one for one in ran if one.ir_hash == ran[-1].ir_hash][-policy.nights :]
        if len(same) >= policy.nights:
            issue = (tracked or {}).get(key[0], "")
            found += _of_pcc(key, same, held_now, policy, key[0] in xfailed, issue)
            found += _of_atol(key, same, held_now, policy)
    return found


def _of_pcc(
    key: tuple[str, str],
    same: list[Nearness],
    held: Held,
    policy: Thresholds,
    xfailed: bool,
    issue: str,
) -> list[Threshold]:
    values = [one.pcc for one in same if one.pcc is not None and math.isfinite(one.pcc)]
    if len(values) < len(same):
        return []
    worst, to = min(values), _below(values, policy)
    required = held.pcc
    good = required is not None and worst >= required
    if xfailed and good and held.pcc_asserted:
        kind, to, line = Kind.REMOVE_XFAIL, required or to, 'expect = "pass"'
    elif not held.pcc_asserted and to >= policy.lowest_pcc:
        kind, line = Kind.ENABLE_PCC, f"assert_pcc=True, required_pcc={to:g}"
    elif held.pcc_asserted and good and required and _gains(required, to, policy):
        kind, line = Kind.RAISE_PCC, f"required_pcc={to:g}"
    elif held.pcc_asserted and required and max(values) < required and issue:
        kind, line = Kind.LOWER_PCC, f"required_pcc={to:g}  # {issue}"
    else:
        return []
    return [_threshold(kind, key, line, required, to, values, worst, "PCC")]


def _of_atol(
    key: tuple[str, str], same: list[Nearness], held: Held, policy: Thresholds
) -> list[Threshold]:
    values = [one.atol for one in same if one.atol is not None and math.isfinite(one.atol)]
    if held.atol_asserted or len(values) < len(same) or not max(values, default=0.0):
        return []
    worst = max(values)
    room = max(policy.spread * float(np.std(values)), policy.room * worst)
    to = _rounded_up(worst + room)
    line = f"assert_atol=True, required_atol={to:g}"
    return [_threshold(Kind.ADD_CONFIG, key, line, None, to, values, worst, "ATOL")]


def _below(values: list[float], policy: Thresholds) -> float:
    """The PCC that keeps its distance from the worst, rounded away from it."""
    worst = min(values)
    room = max(policy.spread * float(np.std(values)), policy.room * (1 - worst))
    return min(1 - _rounded_up(max(1 - worst + room, 1e-9)), policy.highest_pcc)


def _gains(required: float, to: float, policy: Thresholds) -> bool:
    return to - required >= policy.gain * (1 - required)


def _rounded_up(distance: float) -> float:
    """To two digits."""
    scale = 10.0 ** (math.floor(math.log10(distance)) - 1)
    return float(f"{math.ceil(distance / scale - 1e-9) * scale:.3g}")


def _threshold(
    kind: Kind,
    key: tuple[str, str],
    line: str,
    was: float | None,
    to: float,
    values: list[float],
    worst: float,
    metric: str,
) -> Threshold:
    middle = float(np.median(values))
    reason = f"{metric} of {len(values)} nights: worst {worst:.6g}, median {middle:.6g}"
    test, dtype = key
    return Threshold(
        kind=kind,
        test=test,
        device=test.rpartition("@")[2],
        dtype=dtype,
        line=line,
        was=was,
        to=round(to, 12),
        nights=len(values),
        worst=worst,
        median=middle,
        reason=reason,
    )


def told(found: Iterable[Threshold]) -> list[str]:
    """A line each, to be pasted from."""
    return [f"{t.kind} {t.test} ({t.dtype}): {t.line}  # {t.reason}" for t in found]
