# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The checks of one output: what was measured, what is required, whether it is asserted.

Where PCC says nothing, because golden is constant or nothing but rounding noise, its
assertion is replaced by that of the difference, so that turning one of them off never leaves
an output unverified while the other is on.
"""

import math
from dataclasses import dataclass

import torch

from bringup.harness.records.schema import Check, Metric
from bringup.harness.verify import metrics
from bringup.harness.verify.arithmetic import quantum
from bringup.harness.verify.bounds import ELEMENT_TIMES, Bound, judged
from bringup.harness.verify.chunks import chunks
from bringup.harness.verify.moments import rms
from bringup.harness.verify.sharing import NATURAL_TIMES
from bringup.harness.verify.tolerances import Tolerances, rounding

_NARROW = 8
"""Rounding excuses a PCC only in a golden whose spread is up to so many times `rounding`.

Beyond, it cannot spoil PCC; and max|golden| may be an outlier, whose rounding is no excuse
for all the others.
"""


def fact(name: str, ok: bool, reason: str = "") -> Check:
    """A check of structure: nothing is measured, and no switch turns it off."""
    return Check(name, Metric.of(None), None, ok, True, reason)


def difference_of_text(golden: object, actual: object) -> str:
    """Where two texts part, a sentence: the first character that differs, and 60 from before it."""
    g, a = str(golden), str(actual)
    at = next(
        (i for i, (x, y) in enumerate(zip(g, a, strict=False)) if x != y), min(len(g), len(a))
    )
    start = max(0, at - 20)
    return f"from character {at} on, actual has {a[start:][:60]!r}, golden {g[start:][:60]!r}"


def exact(count: int, tolerances: Tolerances, reason: str) -> Check:
    """A check of what must be equal, of which `count` elements are not, and how they differ."""
    ok = count == 0
    return Check("exact", Metric.of(count), None, ok, tolerances.assert_exact, "" if ok else reason)


@dataclass(frozen=True)
class Pair:
    """A golden and an actual of floats or complex numbers of one shape, and what is known."""

    golden: torch.Tensor
    actual: torch.Tensor
    natural: torch.Tensor | None
    """Golden's own rounding error, element by element; None: nobody knows it, or it has none."""
    known: bool
    """Is golden's own error known? If there is none of `natural`, it is zero."""

    @property
    def dtypes(self) -> tuple[torch.dtype, torch.dtype]:
        """Golden's and actual's."""
        return self.golden.dtype, self.actual.dtype


def float_checks(pair: Pair, found: metrics.Measurement, tolerances: Tolerances) -> list[Check]:
    """The checks of a float or complex output, of which `found` was measured.

    One Check for each metric that is defined, asserted or not, in the order of the record.

    Raises:
        UsageError: `tolerances` names no arithmetic that is known.
    """
    nonfinite = _same_nonfinite(found)
    if found.max_difference is None:
        checks = [nonfinite, *_unmeasured(tolerances, "no finite number to compare")]
        if found.elements and nonfinite.ok:  # nothing but infinities, and the same
            checks.append(exact(0, tolerances, ""))
        return checks
    blank = _says_nothing(pair, found, tolerances)
    alone = tolerances.assert_pcc and blank != ""
    return [
        nonfinite,
        _correlation(pair, found, tolerances, blank),
        *_blocks(pair, found, tolerances, alone),
        *_absolute(found, tolerances, tolerances.noise(*pair.dtypes), alone),
        _relative_l2(found, tolerances, tolerances.noise(*pair.dtypes)),
        _allclose(found, tolerances),
    ]


def _says_nothing(pair: Pair, found: metrics.Measurement, tolerances: Tolerances) -> str:
    """Why golden is a thing that nothing correlates with, else an empty string."""
    if found.disagreements:
        return ""
    if found.pcc is None:
        what = "a single number" if found.finite == 1 else "constant"
        return f"golden is {what}; compared by difference"
    flushed = quantum(*pair.dtypes)[1]
    if found.golden_spread <= rounding(found.golden_peak, *pair.dtypes) + flushed:
        return "golden is constant up to rounding; compared by difference"
    unknown_noise = not pair.known and tolerances.scale is not None
    if unknown_noise and found.golden_peak < tolerances.noise(*pair.dtypes):
        return f"max|golden| is {found.golden_peak!r}, noise; compared by difference"
    return ""


def _correlation(
    pair: Pair, found: metrics.Measurement, tolerances: Tolerances, blank: str
) -> Check:
    required = tolerances.least_pcc
    ok = found.pcc is None or found.pcc >= required
    reason = blank
    rounded = rounding(found.golden_peak, *pair.dtypes)
    narrow = found.golden_spread <= _NARROW * rounded
    if not reason and not ok and narrow and _at_most(found.max_difference, rounded):
        reason = "every difference is within rounding"
    if not reason and not ok and _natural_spread(pair, found) > 2 * (1 - required):
        reason = "golden's own rounding is as large as what it correlates by"
    asserted = tolerances.assert_pcc and not reason
    if not reason and not ok:
        reason = _nan_or(found, "actual does not follow golden")
    return Check("pcc", Metric.of(found.pcc), required, ok, asserted, reason)


def _natural_spread(pair: Pair, found: metrics.Measurement) -> float:
    """The variance that golden's own error may come to in a device, as a part of golden's."""
    if pair.natural is None or found.disagreements or not found.golden_deviation:
        return 0.0
    error = rms(pair.natural) * NATURAL_TIMES
    return (error / found.golden_deviation) ** 2


def _blocks(
    pair: Pair, found: metrics.Measurement, tolerances: Tolerances, alone: bool
) -> list[Check]:
    """`row_l2` and `element`, or `ulps` where the bound is in units; asserted by default."""
    asserted = (tolerances.assert_atol or alone) and not tolerances.gives_differences
    own = tolerances.resolution(*pair.dtypes, known=pair.known)
    one_op = tolerances.ulps is not None and bool(found.max_difference)
    farthest = _farthest(pair) if one_op and not found.disagreements else math.inf
    if farthest <= own:  # no row can be off by a larger part than each of its elements
        row, element = Bound(farthest, own, ""), Bound(farthest, ELEMENT_TIMES * own, "")
    elif found.max_difference and not found.disagreements:
        row, element = judged(
            pair.golden,
            pair.actual,
            pair.natural,
            found.golden_peak,
            tolerances,
            known=pair.known,
        )
    else:  # equal, or not to be measured
        row = Bound(found.max_difference or 0.0, own, "")
        element = Bound(row.measured, ELEMENT_TIMES * own, "")
    known = "" if pair.known else "; golden's own rounding is not known"
    checks = [
        Check(
            name,
            Metric.of(bound.measured),
            bound.required,
            bound.ok,
            asserted,
            "" if bound.ok else _nan_or(found, f"{bound.where} is off{known}"),
        )
        for name, bound in (("row_l2", row), ("element", element))
    ]
    if tolerances.ulps is None:
        return checks
    ulp = tolerances.unit(*pair.dtypes)
    reason = "" if row.ok else _nan_or(found, f"{row.where} is off by so many times {ulp:.3g}")
    measured = Metric.of(row.measured / ulp)
    return [*checks, Check("ulps", measured, row.required / ulp, row.ok, asserted, reason)]


def _farthest(pair: Pair) -> float:
    """The largest part of itself that an element is off by; inf of one that should be zero."""
    parts = [
        float((a - g).abs_().div_(g.abs()).nan_to_num_(0.0, posinf=math.inf).max())
        for _, _, g, a in chunks(pair.golden, pair.actual)
    ]
    return max(parts, default=0.0)


def _absolute(
    found: metrics.Measurement, tolerances: Tolerances, noise: float, alone: bool
) -> list[Check]:
    """`atol` and `relative_atol`; `alone`: they stand in for PCC, so one must be asserted."""
    asserted = tolerances.assert_atol or alone
    difference, peak = found.max_difference, found.golden_peak
    where = f" at {list(found.worst_index)}" if found.worst_index else ""
    far = _nan_or(
        found, f"the largest difference is {difference!r}{where}, max|golden| is {peak!r}"
    )
    limit = tolerances.required_atol
    ok = limit is None or _at_most(difference, limit)
    atol = Check(
        "atol", Metric.of(difference), limit, ok, asserted and limit is not None, "" if ok else far
    )
    relative = tolerances.relative_atol
    measured = _ratio(difference, peak)
    ok = relative is None or _at_most(difference, relative * peak if peak else noise)
    reason = "" if ok else far
    if ok and relative is not None and not _at_most(measured, relative):
        reason = f"the largest difference, {difference!r}, is within rounding noise, {noise!r}"
    return [
        atol,
        Check(
            "relative_atol",
            Metric.of(measured),
            relative,
            ok,
            asserted and relative is not None,
            reason,
        ),
    ]


def _relative_l2(found: metrics.Measurement, tolerances: Tolerances, noise: float) -> Check:
    required = tolerances.required_relative_l2
    reason = "golden is zero, actual is not" if found.relative_l2 is None else ""
    ok = required is None or _at_most(found.relative_l2, required)
    if not ok and not found.golden_peak and _at_most(found.max_difference, noise):
        ok, reason = True, f"every difference is within rounding noise, {noise!r}"
    elif not ok:
        reason = _nan_or(found, reason or "the difference is too large beside golden")
    measured = Metric.of(found.relative_l2)
    return Check("relative_l2", measured, required, ok, tolerances.assert_relative_l2, reason)


def _allclose(found: metrics.Measurement, tolerances: Tolerances) -> Check:
    ok = not found.not_close and not found.disagreements
    rtol, atol = tolerances.allclose_rtol, tolerances.allclose_atol
    reason = f"that many of {found.finite} numbers are off by over {atol} + {rtol} x |golden|"
    measured = math.nan if found.disagreements else found.not_close
    return Check(
        "allclose",
        Metric.of(measured),
        None,
        ok,
        tolerances.assert_allclose,
        "" if ok else _nan_or(found, reason),
    )


def _same_nonfinite(found: metrics.Measurement) -> Check:
    """NaN and infinities are in the same places; a golden with nothing else asserts no more.

    Of a golden with NaN the check does not hold then, and is not asserted: nobody is wrong, and
    nothing is right.
    """
    reason, ok = "", True
    if found.disagreements:
        ok = False
        reason = (
            f"NaN, infinities or fill values differ in {found.disagreements} of {found.elements}"
            f" elements; actual has {found.actual_nonfinite} NaN or infinities,"
            f" golden {found.golden_nonfinite}"
        )
    elif found.elements and not found.finite:
        ok = not found.golden_nan
        reason = "golden has nothing finite, so no number could be compared"
    asserted = ok or bool(found.disagreements)
    return Check("nonfinite", Metric.of(found.disagreements), None, ok, asserted, reason)


def _unmeasured(tolerances: Tolerances, reason: str) -> list[Check]:
    required = {
        "pcc": tolerances.least_pcc,
        "row_l2": None,
        "element": None,
        "atol": tolerances.required_atol,
        "relative_atol": tolerances.relative_atol,
        "relative_l2": tolerances.required_relative_l2,
        "allclose": None,
    }
    undefined = Metric.of(None)
    return [Check(name, undefined, limit, True, False, reason) for name, limit in required.items()]


def _at_most(measured: float | None, limit: float) -> bool:
    return measured is not None and measured <= limit  # False for NaN


def _ratio(difference: float | None, peak: float) -> float | None:
    if difference is None or math.isnan(difference):
        return difference
    if peak == 0:
        return None if difference else 0.0
    return difference / peak


def _nan_or(found: metrics.Measurement, reason: str) -> str:
    return "not a number, as NaN or infinities differ" if found.disagreements else reason
