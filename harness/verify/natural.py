# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Golden's own rounding error: golden less the same in float64, leaf by leaf.

It only ever allows more. So an output is first judged as if golden had none, which most pass, and
the reference is computed for those that do not: `settled`.
"""

import enum
import math
from collections.abc import Callable, Iterable, Mapping

import torch

from bringup.harness.records.schema import Check, OutputCheck
from bringup.harness.verify.chunks import chunks, fill_of
from bringup.harness.verify.flatten import flatten

Natural = Mapping[str, torch.Tensor]
"""Golden less reference by path, in float32 (complex64); leaves that are equal are not in it."""

Passed = Mapping[str, OutputCheck]
"""Outputs by path that passed as if golden had no rounding: they pass whatever it has."""


def natural_errors(golden: object, reference: object, path: str = "") -> dict[str, torch.Tensor]:
    """How far each float leaf of `golden` is from `reference`, both of any type `flatten` takes.

    Leaves that are not floats of one shape on both sides, or that agree, are left out.

    Returns:
        By path golden less reference, of the leaf's shape and in its unit, as float32 or complex64.

    Raises:
        UnsupportedOutputError: something in either cannot be taken apart.
    """
    exact = {leaf.path: leaf.value for leaf in flatten(reference, path)}
    errors = {}
    for leaf in flatten(golden, path):
        g, r = leaf.value, exact.get(leaf.path)
        if not isinstance(g, torch.Tensor) or not isinstance(r, torch.Tensor):
            continue
        if g.shape != r.shape or not (g.is_floating_point() or g.is_complex()):
            continue
        exact_value = r.detach()
        if not g.is_complex():  # what golden's dtype clips is no rounding
            limits = torch.finfo(g.dtype)
            exact_value = exact_value.clamp(limits.min, limits.max)
        error = g.detach().to(r.dtype).sub(exact_value)
        if bool((error != 0).any()):
            narrow = torch.complex64 if error.is_complex() else torch.float32
            errors[leaf.path] = error.to(narrow)
    return errors


EXPLAINED = frozenset({"pcc", "row_l2", "element", "ulps"})
"""The metrics whose failure golden's own rounding may explain."""


class Asked(enum.IntEnum):
    """How much of golden's own rounding had to be found."""

    NOTHING = 0
    REFERENCE = 1
    SAMPLES = 2


def settled(
    check: Callable[[Natural | None, Passed], tuple[OutputCheck, ...]],
    reference: Callable[[], Natural | None],
    samples: Callable[[Natural], Iterable[Natural]] | None = None,
    kinks: Callable[[Natural], Natural | None] | None = None,
) -> tuple[tuple[OutputCheck, ...], Asked]:
    """The checks that decide, and what of golden's own rounding had to be asked for.

    What no rounding explains is asked for none. The verdict is the same as if all were always
    asked for, but for `near`.

    Args:
        check: compares, given golden's own rounding and what need not be compared again.
        reference: finds that rounding, or None where it cannot be had; called once at most.
        samples: finds it better, given that: once more with each sample, and it is asked for as
            long as nothing fails by more than `NEAR`. None: there are none.
        kinks: adds what gradients are off by where rounding takes numbers over a kink, however
            much that is; None where there is no kink. It is asked for first, where something fails
            by the reference alone.

    Raises:
        Whatever these three raise.
    """
    outputs = check({}, {})
    failed = {c.metric for c in _failed(outputs)}
    if not failed or failed - EXPLAINED:
        return outputs, Asked.NOTHING
    if _is_far(outputs) and _failed(check(ANY_ROUNDING, _passed(outputs))):
        return outputs, Asked.NOTHING
    natural = reference()
    outputs = check(natural, _passed(outputs))
    if kinks is not None and natural is not None and _failed(outputs):
        natural = kinks(natural) or natural
        outputs = check(natural, _passed(outputs))
    if samples is None or natural is None or not near(outputs):
        return outputs, Asked.REFERENCE
    for sampled in samples(natural):
        outputs = check(sampled, _passed(outputs))
        if not near(outputs):
            break
    return outputs, Asked.SAMPLES


class _AnyRounding(dict[str, torch.Tensor]):
    """An error of every output that is as large as its numbers, which is the most that counts."""

    def get(self, path: str, default: object = None) -> torch.Tensor:
        """One number for all of an output."""
        return torch.tensor(torch.finfo(torch.float32).max)

    def __bool__(self) -> bool:
        return True


ANY_ROUNDING: Natural = _AnyRounding()
"""What allows the most that golden's own rounding can: what fails by it fails by any."""
_FAR = 64.0
"""Of which part of itself a block must be off at least to fail by `ANY_ROUNDING`."""


def _is_far(outputs: Iterable[OutputCheck]) -> bool:
    return any(c.metric == "row_l2" and (c.measured.value or 0.0) > _FAR for c in _failed(outputs))


def _failed(outputs: Iterable[OutputCheck]) -> list[Check]:
    return [c for o in outputs for c in o.checks if c.asserted and not c.ok]


NEAR = 64.0
"""What failed by more than so many times its limit is not looked at again. Of a thousand rows that
are each one number times another row, as the gradient of a head is, one in which golden is off by a
thousandth of the usual is off in a device by all of itself, in bfloat16 30 times the resolution."""


def near(outputs: Iterable[OutputCheck]) -> bool:
    """Did checks fail, all such as golden's rounding goes into, and by `NEAR` times at most?"""
    failed = _failed(outputs)
    return bool(failed) and all(
        c.metric in EXPLAINED
        and c.required is not None
        and c.measured.value is not None
        and _off(c.metric, c.measured.value) <= NEAR * _off(c.metric, c.required)
        for c in failed
    )


def _off(metric: str, value: float) -> float:
    """A correlation is off from 1 by half of the square of the error."""
    return math.sqrt(max(0.0, 2 * (1 - value))) if metric == "pcc" else value


def _passed(outputs: Iterable[OutputCheck]) -> dict[str, OutputCheck]:
    return {o.path: o for o in outputs if o.ok}


def largest(values: Iterable[object]) -> float:
    """The largest finite magnitude among all floats, fills of masked positions left out."""
    found = 0.0
    for value in values:
        if isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex()):
            fill = fill_of(value.dtype)
            for _, _, numbers, _ in chunks(value, value):
                low, high = (float(v) for v in numbers.aminmax())
                size = max(-low, high)
                if not size < fill:
                    usual = numbers[numbers.isfinite() & (numbers.abs() < fill)].abs()
                    size = float(usual.max()) if len(usual) else 0.0
                found = max(found, size)
    return found
