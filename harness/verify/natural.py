# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Golden's own rounding error: golden less the same in float64, leaf by leaf.

It only ever allows more. So an output is first judged as if golden had none, which most pass, and
the reference is computed for those that do not: `settled`.
"""

from collections.abc import Callable, Iterable, Mapping

import torch

from bringup.harness.records.schema import OutputCheck
from bringup.harness.verify.chunks import chunks, fill_of
from bringup.harness.verify.flatten import flatten

Natural = Mapping[str, torch.Tensor]
"""Golden less reference by path, in float32 (complex64); leaves that are equal are not in it."""

Passed = Mapping[str, OutputCheck]
"""Outputs by path that passed as if golden had no rounding: they pass whatever it has."""


def natural_errors(golden: object, reference: object, path: str = "") -> dict[str, torch.Tensor]:
    """How far each float leaf of `golden` is from `reference`, both of any type `flatten` takes.

    Leaves that are not floats of one shape on both sides, or that agree, are left out. Raises
    UnsupportedOutputError.
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


def settled(
    check: Callable[[Natural | None, Passed], tuple[OutputCheck, ...]],
    reference: Callable[[], Natural | None],
) -> tuple[tuple[OutputCheck, ...], bool]:
    """The checks that decide, and whether golden's own rounding had to be asked for.

    `check` compares, given golden's own rounding and what need not be compared again; `reference`
    finds that rounding, or None where it cannot be had. The verdict is the same as if it were
    always asked for.
    """
    outputs = check({}, {})
    failed = {c.metric for o in outputs for c in o.checks if c.asserted and not c.ok}
    if not failed or failed - EXPLAINED:
        return outputs, False
    return check(reference(), {o.path: o for o in outputs if o.ok}), True


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
