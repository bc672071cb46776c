# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Decide whether an output is right: no wrong one passes, no right one fails.

Always asserted, whatever the switches: the same leaves, kinds of dtype and shapes, and NaN
and infinities in the same places. Bools, integers, strings and None are compared exactly.
Floats are compared by PCC, which is blind to scale and offset, and by the largest absolute
difference, which is not. Every metric that is defined is recorded, asserted or not.

Where PCC says nothing, because golden is constant or nothing but rounding noise, its
assertion is replaced by that of the absolute difference, so that turning one of them off
never leaves an output unverified while the other is on.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping

import torch

from harness.errors import UsageError
from harness.records.schema import Check, Metric, MetricState, OutputCheck
from harness.verify import metrics
from harness.verify.flatten import Leaf, flatten

FALLBACK_RELATIVE_ATOL = 0.05
"""Used where PCC is undefined, PCC is asserted and no absolute tolerance is given at all."""

NOISE = {
    torch.float64: 1e-6,
    torch.float32: 1e-6,
    torch.float16: 1e-5,
    torch.bfloat16: 1e-5,
}
"""What stands for zero when the values it was computed from are around 1.

About eight units of rounding in float32, in which devices accumulate whatever the storage;
float64 has the same, as few devices have a float64 of their own. Half-precision results
come from half-precision inputs and get ten times that, 8-bit ones (not listed) a hundred.
Times `Tolerances.scale`.
"""
_NOISE_8_BIT = 1e-4

ROUNDING = {
    torch.float64: 32 * torch.finfo(torch.float64).eps,
    torch.float32: 32 * torch.finfo(torch.float32).eps,
    torch.float16: 4 * torch.finfo(torch.float16).eps,
    torch.bfloat16: 4 * torch.finfo(torch.bfloat16).eps,
}
"""What part of max|golden| a difference or a spread may be and still be rounding.

Results rounded at every step: the row sums of a float32 softmax spread over 9 units in the
last place, the row variances of a layer norm over 26. Results rounded once from float32:
two carry an error of variance ulp^2 / 12 each, which holds their PCC to
s^2 / (s^2 + ulp^2 / 12), below 0.99 for a standard deviation s under 3 ulp. 8-bit floats get
no more than bfloat16's: four of their units are half of the value.
"""
_NARROW = 8
"""Rounding excuses a PCC only in a golden whose spread is up to so many times `ROUNDING`.

Beyond, it cannot spoil PCC; and max|golden| may be an outlier, whose rounding is no excuse
for all the others.
"""

_FACTS = frozenset({"structure", "shape", "dtype"})
_COUNTED = frozenset({"nonfinite", "allclose", "exact", "tokens"})


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """What is required of an output, and which of it is asserted."""

    required_pcc: float = 0.99
    """Least PCC, -1 to 1."""
    required_atol: float | None = None
    """Largest |actual - golden|, in the output's unit, taken literally."""
    relative_atol: float | None = 0.05
    """Largest |actual - golden| as a part of max|golden|; at least `noise` is allowed."""
    required_relative_l2: float | None = None
    """Largest ||actual - golden|| / ||golden||."""
    allclose_rtol: float = 1e-5
    """As torch.allclose has it, so that the recorded number means what people expect."""
    allclose_atol: float = 1e-8
    assert_pcc: bool = True
    assert_atol: bool = True
    """Governs both absolute tolerances; each one given must hold."""
    assert_relative_l2: bool = False
    assert_allclose: bool = False
    assert_exact: bool = True
    """Bools, integers, strings and None."""
    assert_tokens: bool = True
    scale: float = 1.0
    """Magnitude of the values an output is computed from, which rounding noise goes with.

    For gradients, `gradient_scale(golden)`: a gradient that is zero by mathematics, such as
    that of a bias before a normalisation, is noise in proportion to the others.
    """

    def __post_init__(self) -> None:
        """Raise UsageError when a number makes no sense or an assertion has nothing to assert."""
        if not -1 <= self.required_pcc <= 1:
            raise UsageError(f"required_pcc is {self.required_pcc}; it must be from -1 to 1.")
        for name in (
            "required_atol",
            "relative_atol",
            "required_relative_l2",
            "allclose_rtol",
            "allclose_atol",
            "scale",
        ):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise UsageError(f"{name} is {value}; it must be a finite number from 0 up.")
        if self.assert_atol and self.required_atol is None and self.relative_atol is None:
            raise UsageError(
                "assert_atol has no tolerance to assert; give required_atol or relative_atol,"
                " or set assert_atol=False."
            )
        if self.assert_relative_l2 and self.required_relative_l2 is None:
            raise UsageError(
                "assert_relative_l2 has no tolerance to assert; give required_relative_l2."
            )

    def noise(self, *dtypes: torch.dtype) -> float:
        """What stands for zero in the coarsest of `dtypes`, in the output's unit."""
        return self.scale * _coarsest(NOISE, dtypes, _NOISE_8_BIT)


def _coarsest(
    table: Mapping[torch.dtype, float], dtypes: Iterable[torch.dtype], other: float
) -> float:
    return max(table.get(dtype.to_real(), other) for dtype in dtypes)


DEFAULT = Tolerances()


def compare(
    golden: object, actual: object, tolerances: Tolerances = DEFAULT, path: str = ""
) -> tuple[OutputCheck, ...]:
    """Check `actual` against `golden`, both of any type that `flatten` takes.

    Gives one OutputCheck for each leaf of either, in golden's order; never an empty tuple.
    Raises UnsupportedOutputError.
    """
    expected = {leaf.path: leaf for leaf in flatten(golden, path)}
    found = {leaf.path: leaf for leaf in flatten(actual, path)}
    outputs = [
        _compare_leaf(leaf, found[name], tolerances)
        if name in found
        else _unpaired(leaf, "golden has this output, actual does not")
        for name, leaf in expected.items()
    ]
    outputs += [
        _unpaired(leaf, "actual has this output, golden does not")
        for name, leaf in found.items()
        if name not in expected
    ]
    if not outputs:
        return (OutputCheck(path, (), "", (fact("structure", True),)),)
    return tuple(outputs)


def verdict(outputs: Iterable[OutputCheck]) -> bool:
    """True when every asserted check of every output holds; False when there is no output."""
    oks = [output.ok for output in outputs]
    return bool(oks) and all(oks)


def mismatches(outputs: Iterable[OutputCheck]) -> list[str]:
    """One sentence for each asserted check that does not hold: path, metric, numbers, reason."""
    return [
        _sentence(output.path or "output", check)
        for output in outputs
        for check in output.checks
        if check.asserted and not check.ok
    ]


def gradient_scale(golden: object) -> float:
    """The largest finite magnitude among all floats of `golden`, for `Tolerances.scale`."""
    tensors = (leaf.value for leaf in flatten(golden) if isinstance(leaf.value, torch.Tensor))
    floats = (t for t in tensors if _kind(t) in ("float", "complex"))
    return max(map(metrics.peak, floats), default=0.0)


# --- one leaf -------------------------------------------------------------------------------


def _compare_leaf(golden: Leaf, actual: Leaf, tolerances: Tolerances) -> OutputCheck:
    g, a = golden.value, actual.value
    kinds = _kind(g), _kind(a)
    checks = [_same_kind(g, a)]
    nonfinite = 0, 0
    if not isinstance(g, torch.Tensor) or not isinstance(a, torch.Tensor):
        if kinds[0] == kinds[1]:
            reason = difference_of_text(g, a) if g != a else ""
            checks.append(_exact(int(g != a), tolerances, reason))
    else:
        checks.append(_same_shape(g, a))
        if g.shape == a.shape and kinds[0] == kinds[1]:
            if kinds[0] in ("float", "complex"):
                found = metrics.measure(g, a, tolerances.allclose_rtol, tolerances.allclose_atol)
                nonfinite = found.golden_nonfinite, found.actual_nonfinite
                checks += _float_checks(found, (g.dtype, a.dtype), tolerances)
            else:
                count = metrics.count_differing(g, a)
                checks.append(_exact(count, tolerances, f"{count} of {g.numel()} elements differ"))
    return OutputCheck(golden.path, _shape(g), _dtype(g), tuple(checks), *nonfinite)


def _float_checks(
    found: metrics.Measurement, dtypes: tuple[torch.dtype, torch.dtype], tolerances: Tolerances
) -> list[Check]:
    nonfinite = _same_nonfinite(found)
    if found.max_difference is None:
        checks = [nonfinite, *_unmeasured(tolerances, "no finite number to compare")]
        if found.elements and nonfinite.ok:  # nothing but infinities, and the same
            checks.append(_exact(0, tolerances, ""))
        return checks
    noise = tolerances.noise(*dtypes)
    rounding = found.golden_peak * _coarsest(ROUNDING, dtypes, ROUNDING[torch.bfloat16])
    blank = _says_nothing(found, noise, rounding)
    alone = tolerances.assert_pcc and blank != ""
    return [
        nonfinite,
        _correlation(found, tolerances, blank, rounding),
        *_absolute(found, tolerances, noise, alone),
        _relative_l2(found, tolerances, noise),
        _allclose(found, tolerances),
    ]


def _says_nothing(found: metrics.Measurement, noise: float, rounding: float) -> str:
    """Why golden is a thing that nothing correlates with, else an empty string."""
    if found.disagreements:
        return ""
    if found.pcc is None:
        what = "a single number" if found.finite == 1 else "constant"
        return f"golden is {what}; compared by absolute difference"
    if found.golden_peak < noise:
        return f"max|golden| is {found.golden_peak!r}, noise; compared by absolute difference"
    if found.golden_spread <= rounding:
        return "golden is constant up to rounding; compared by absolute difference"
    return ""


def _correlation(
    found: metrics.Measurement, tolerances: Tolerances, blank: str, rounding: float
) -> Check:
    required = tolerances.required_pcc
    ok = found.pcc is None or found.pcc >= required
    reason = blank
    narrow = found.golden_spread <= _NARROW * rounding
    if not reason and not ok and narrow and _at_most(found.max_difference, rounding):
        reason = "every difference is within rounding"
    asserted = tolerances.assert_pcc and not reason
    if not reason and not ok:
        reason = _nan_or(found, "actual does not follow golden")
    return Check("pcc", Metric.of(found.pcc), required, ok, asserted, reason)


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
    if relative is None and limit is None and alone:
        relative = FALLBACK_RELATIVE_ATOL
    measured = _ratio(difference, peak)
    ok = relative is None or _at_most(difference, max(relative * peak, noise))
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
    if not ok and _at_most(found.max_difference, noise):
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
    reason = ""
    if found.disagreements:
        reason = (
            f"NaN, infinities or fill values differ in {found.disagreements} of {found.elements}"
            f" elements; actual has {found.actual_nonfinite} NaN or infinities,"
            f" golden {found.golden_nonfinite}"
        )
    elif found.golden_nan and not found.finite:
        reason = "golden holds NaN and nothing finite, which cannot be verified"
    return Check("nonfinite", Metric.of(found.disagreements), None, not reason, True, reason)


def _unmeasured(tolerances: Tolerances, reason: str) -> list[Check]:
    required = {
        "pcc": tolerances.required_pcc,
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


# --- kinds, shapes, text --------------------------------------------------------------------


def _kind(value: torch.Tensor | str | None) -> str:
    if not isinstance(value, torch.Tensor):
        return "None" if value is None else "str"
    if value.dtype is torch.bool:
        return "bool"
    if value.is_complex():
        return "complex"
    return "float" if value.is_floating_point() else "int"


def _dtype(value: torch.Tensor | str | None) -> str:
    if isinstance(value, torch.Tensor):
        return str(value.dtype).removeprefix("torch.")
    return _kind(value)


def _shape(value: torch.Tensor | str | None) -> tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else ()


def _same_kind(g: torch.Tensor | str | None, a: torch.Tensor | str | None) -> Check:
    same = _dtype(g) == _dtype(a)
    return fact(
        "dtype", _kind(g) == _kind(a), "" if same else f"actual is {_dtype(a)}, golden {_dtype(g)}"
    )


def _same_shape(g: torch.Tensor, a: torch.Tensor) -> Check:
    same = g.shape == a.shape
    reason = "" if same else f"actual has shape {_shape(a)}, golden {_shape(g)}"
    return fact("shape", same, reason)


def _unpaired(leaf: Leaf, reason: str) -> OutputCheck:
    return OutputCheck(
        leaf.path, _shape(leaf.value), _dtype(leaf.value), (fact("structure", False, reason),)
    )


def fact(name: str, ok: bool, reason: str = "") -> Check:
    """A check of structure: nothing is measured, and no switch turns it off."""
    return Check(name, Metric.of(None), None, ok, True, reason)


def _exact(count: int, tolerances: Tolerances, reason: str) -> Check:
    ok = count == 0
    return Check("exact", Metric.of(count), None, ok, tolerances.assert_exact, "" if ok else reason)


def difference_of_text(golden: object, actual: object) -> str:
    """Where two texts part, with what either has there."""
    g, a = str(golden), str(actual)
    at = next(
        (i for i, (x, y) in enumerate(zip(g, a, strict=False)) if x != y), min(len(g), len(a))
    )
    start = max(0, at - 20)
    return f"from character {at} on, actual has {a[start:][:60]!r}, golden {g[start:][:60]!r}"


# --- sentences ------------------------------------------------------------------------------


def _sentence(path: str, check: Check) -> str:
    state = check.measured.state
    if check.metric in _FACTS or (check.metric in _COUNTED and not check.measured.value):
        what = ""
    elif check.metric in _COUNTED:
        what = f", {int(check.measured.value or 0)} differing"
    else:
        what = f" is {check.measured.value if state is MetricState.VALUE else state.value}"
    if check.required is not None:
        bound = "at least" if check.metric == "pcc" else "at most"
        what += f", required {bound} {check.required}"
    return f"{path}: {check.metric}{what}: {check.reason}."
