# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Golden's own rounding error: golden less the same in float64, leaf by leaf."""

from collections.abc import Iterable, Mapping

import torch

from harness.verify.chunks import chunks, fill_of
from harness.verify.flatten import Leaf, flatten

Natural = Mapping[str, torch.Tensor]
"""Golden less reference by path, in float32 (complex64); leaves that are equal are not in it."""


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


def error_of(leaf: Leaf, natural: Natural | None) -> torch.Tensor | None:
    """A leaf's own error: zeros of its shape where `natural` lacks it, None without `natural`."""
    if natural is None or not isinstance(leaf.value, torch.Tensor):
        return None
    own = natural.get(leaf.path)
    return torch.zeros(()).expand(leaf.value.shape) if own is None else own


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
