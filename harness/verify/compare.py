# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Decide whether an output is right: no wrong one passes, no right one fails.

Always asserted, whatever the switches: the same leaves, kinds of dtype and shapes, and NaN
and infinities in the same places. Bools, integers, strings and None are compared exactly.
Floats are compared by PCC, which is blind to scale and offset, and by the errors of rows, slices
and elements beside their own norms, which are not; or by the differences that a test allows.
Every metric that is defined is recorded, asserted or not.
"""

import dataclasses
from collections.abc import Iterable
from types import MappingProxyType

import torch

from bringup.harness.records.metrics import kind_of_metric
from bringup.harness.records.schema import Check, MetricState, OutputCheck
from bringup.harness.verify import metrics
from bringup.harness.verify.checks import Pair, difference_of_text, exact, fact, float_checks
from bringup.harness.verify.chunks import one_thread
from bringup.harness.verify.flatten import Leaf, flatten
from bringup.harness.verify.natural import Natural, Passed, largest
from bringup.harness.verify.tolerances import DEFAULT, Tolerances


@one_thread()
def compare(
    golden: object,
    actual: object,
    tolerances: Tolerances = DEFAULT,
    path: str = "",
    natural: Natural | None = None,
    passed: Passed = MappingProxyType({}),
) -> tuple[OutputCheck, ...]:
    """Check `actual` against `golden`, both of any type that `flatten` takes.

    Args:
        golden: what is right; tensors of any shape, dtype and device.
        actual: what a device gave.
        tolerances: what is required, and which of it is asserted.
        path: what the names of all leaves begin with.
        natural: golden's own rounding error by path (`natural_errors`). A leaf that it lacks is
            taken for exact; None: nobody knows, and rounding on the scale of the whole leaf is
            allowed in each of its rows.
        passed: what need not be compared again, by path.

    Returns:
        One OutputCheck for each leaf of either, in golden's order; never an empty tuple.

    Raises:
        UnsupportedOutputError: something in golden or actual cannot be taken apart.
        UsageError: `tolerances` names no arithmetic that is known.
    """
    expected = {leaf.path: leaf for leaf in flatten(golden, path)}
    if natural and tolerances.scale is None:  # which leaf is noise is known; how much may be is not
        scale = largest(leaf.value for leaf in expected.values())
        tolerances = dataclasses.replace(tolerances, scale=scale)
    found = {leaf.path: leaf for leaf in flatten(actual, path)}
    outputs = [
        passed.get(name) or _compare_leaf(leaf, found[name], tolerances, natural)
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
    """True when every asserted check of every output holds, and none is NaN throughout.

    False when there is no output.
    """
    oks = [output.ok and not _is_nan(output) for output in outputs]
    return bool(oks) and all(oks)


def nothing_finite(outputs: Iterable[OutputCheck]) -> str:
    """Why outputs in which nothing is wrong are not right either, a sentence; empty if they are.

    Golden and actual have NaN in the same places, and no number beside them, in some output; or
    infinities in the same places, and no number beside them, in all that have an element.
    """
    outputs = [o for o in outputs if 0 not in o.shape]
    if not all(o.ok for o in outputs):
        return ""
    nan = [o.path or "the output" for o in outputs if _is_nan(o)]
    if nan:
        more = f" (and {len(nan) - 1} more)" if len(nan) > 1 else ""
        return (
            f"golden has NaN and no finite number in {nan[0]}{more}, and so has the device: there"
            " was nothing to compare"
        )
    if outputs and all(
        any(c.metric == "nonfinite" and c.reason for c in o.checks) for o in outputs
    ):
        return "golden has no finite number in any output, nor has the device: nothing was compared"
    return ""


def _is_nan(output: OutputCheck) -> bool:
    """Could an output not be verified, since golden has NaN in it and nothing finite?"""
    return any(c.metric == "nonfinite" and not c.ok and not c.asserted for c in output.checks)


def mismatches(outputs: Iterable[OutputCheck]) -> list[str]:
    """One sentence for each asserted check that does not hold: path, metric, numbers, reason."""
    return [
        _sentence(output.path or "output", check)
        for output in outputs
        for check in output.checks
        if check.asserted and not check.ok
    ]


# --- one leaf -------------------------------------------------------------------------------


def _compare_leaf(
    golden: Leaf, actual: Leaf, tolerances: Tolerances, natural: Natural | None
) -> OutputCheck:
    g, a = golden.value, actual.value
    kinds = _kind(g), _kind(a)
    checks = [_same_kind(g, a)]
    nonfinite = 0, 0
    if not isinstance(g, torch.Tensor) or not isinstance(a, torch.Tensor):
        if kinds[0] == kinds[1]:
            reason = difference_of_text(g, a) if g != a else ""
            checks.append(exact(int(g != a), tolerances, reason))
    else:
        checks.append(_same_shape(g, a))
        if g.shape == a.shape and kinds[0] == kinds[1]:
            if kinds[0] in ("float", "complex"):
                found = metrics.measure(g, a, tolerances.allclose_rtol, tolerances.allclose_atol)
                nonfinite = found.golden_nonfinite, found.actual_nonfinite
                own = natural.get(golden.path) if natural else None
                own = own.expand(g.shape) if own is not None else None
                pair = Pair(g, a, own, known=natural is not None)
                checks += float_checks(pair, found, tolerances)
            else:
                count = metrics.count_differing(g, a)
                checks.append(exact(count, tolerances, f"{count} of {g.numel()} elements differ"))
    return OutputCheck(golden.path, _shape(g), _dtype(g), tuple(checks), *nonfinite)


# --- kinds and shapes -----------------------------------------------------------------------


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


# --- sentences ------------------------------------------------------------------------------


def _sentence(path: str, check: Check) -> str:
    state = check.measured.state
    kind = kind_of_metric(check.metric)
    if kind.fact or (kind.counts and not check.measured.value):
        what = ""
    elif kind.counts:
        what = f", {int(check.measured.value or 0)} differing"
    else:
        what = f" is {_number(check.measured.value) if state is MetricState.VALUE else state.value}"
    if check.required is not None:
        bound = "at least" if kind.more_is_better else "at most"
        what += f", required {bound} {_number(check.required)}"
    return f"{path}: {check.metric}{what}: {check.reason}."


def _number(value: float | None) -> str:
    """As people read it; the record has every digit."""
    return f"{value:.5g}" if value is not None and value != round(value, 4) else f"{value}"
