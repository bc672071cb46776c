# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is required of an output, and what part of a difference is only rounding."""

import dataclasses
import math
from collections.abc import Iterable, Mapping

import torch

from bringup.harness.errors import UsageError
from bringup.harness.verify.arithmetic import storage_unit, unit_of

_NOISE = {
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

_ROUNDING = {
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


PCC = 0.99
"""Required where a test does not say."""
_RESOLUTION = 0.005
"""Part of a row's own norm: half of what a wrong row must differ by at least, 1 %."""

_COARSE_ULPS = 4.0
"""What one op may be off by in units of coarse arithmetic, whatever it adds up: four of bfloat16
are 1.6 %. Sums are kept in wider arithmetic than that."""


@dataclasses.dataclass(frozen=True)
class Tolerances:
    """What is required of an output, and which of it is asserted.

    What a test gives is what is asserted: `required_pcc` of the correlation, `required_atol` and
    `relative_atol` of the differences. Of what it does not give, our own bounds decide: a PCC of
    0.99, and `bounds` on rows, slices and elements.
    """

    required_pcc: float | None = None
    """Least PCC, -1 to 1."""
    required_atol: float | None = None
    """Largest |actual - golden|, in the output's unit, taken literally."""
    relative_atol: float | None = None
    """Largest |actual - golden| as a part of max|golden|; of a golden of zeros, `noise`."""
    required_relative_l2: float | None = None
    """Largest ||actual - golden|| / ||golden||."""
    allclose_rtol: float = 1e-5
    """As torch.allclose has it, so that the recorded number means what people expect."""
    allclose_atol: float = 1e-8
    assert_pcc: bool = True
    assert_atol: bool = True
    """Governs differences: the absolute tolerances that are given, else the bounds on rows,
    slices and elements."""
    assert_relative_l2: bool = False
    assert_allclose: bool = False
    assert_exact: bool = True
    """Bools, integers, strings and None."""
    assert_tokens: bool = True
    arithmetic: str = "f32"
    """The device's, by `arithmetic.unit_of`."""
    golden_arithmetic: str = ""
    """The coarsest that golden was computed in, if that is known to be coarser than float32,
    whatever dtype its outputs have."""
    ulps: float | None = None
    """The resolution in units of the device's arithmetic or, if coarser, the dtype: for single
    ops, of which no more is allowed than of a model, or four units. None: what is right for
    whole models."""
    scale: float | None = None
    """Magnitude of the values an output is computed from, which rounding noise goes with.

    For gradients, `gradient_scale(golden)`: a gradient that is zero by mathematics, such as
    that of a bias before a normalisation, is noise in proportion to the others. None: golden's
    own, or 1 where golden is all zeros.
    """
    joins_short_rows: bool = False
    """Is what one output's numbers are made of a row, however short the last axis is? So it is of
    gradients: a row of a 1 x 1 kernel would be a single number, of which no rounding is known."""

    def __post_init__(self) -> None:
        """Raise UsageError when a number makes no sense or an assertion has nothing to assert."""
        unit_of(self.arithmetic)
        if self.golden_arithmetic:
            unit_of(self.golden_arithmetic)
        if self.required_pcc is not None and not -1 <= self.required_pcc <= 1:
            raise UsageError(f"required_pcc is {self.required_pcc}; it must be from -1 to 1.")
        for name in (
            "required_atol",
            "relative_atol",
            "required_relative_l2",
            "allclose_rtol",
            "allclose_atol",
            "ulps",
            "scale",
        ):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise UsageError(f"{name} is {value}; it must be a finite number from 0 up.")
        if self.assert_relative_l2 and self.required_relative_l2 is None:
            raise UsageError(
                "assert_relative_l2 has no tolerance to assert; give required_relative_l2."
            )

    def spelled(self) -> dict[str, str]:
        """What is required and what is asserted, by field, as a record has it."""
        return {
            field.name: str(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name.startswith(("assert_", "required_", "relative_", "arithmetic"))
        }

    @property
    def least_pcc(self) -> float:
        """What PCC is held to."""
        return PCC if self.required_pcc is None else self.required_pcc

    @property
    def gives_differences(self) -> bool:
        """Does the test itself say how far the numbers may be off?"""
        return (
            self.required_atol is not None
            or self.relative_atol is not None
            or self.assert_relative_l2
            or self.assert_allclose
        )

    def unit(self, *dtypes: torch.dtype) -> float:
        """The relative error of one rounding, on the device or to the dtypes."""
        return max(unit_of(self.arithmetic), storage_unit(*dtypes))

    def resolution(self, *dtypes: torch.dtype, known: bool) -> float:
        """What part of its own norm a block may be off before rounding is asked for reasons.

        `known` is whether golden's own error is, which covers what storing values between ops
        costs. A test that is content with less correlation than our own 0.99 is not held to more
        than that is worth: 1 - PCC is half the square of the relative error.
        """
        if self.ulps is not None:
            unit = self.unit(*dtypes)
            return min(self.ulps * unit, max(_RESOLUTION, _COARSE_ULPS * unit))
        device, stored = unit_of(self.arithmetic), storage_unit(*dtypes)
        own = max(_RESOLUTION, 4 * device, (2 if known else 4) * stored)
        if self.least_pcc < PCC:
            own = max(own, math.sqrt(2 * (1 - self.least_pcc)))
        return own

    def noise(self, *dtypes: torch.dtype) -> float:
        """What stands for zero in the coarsest of `dtypes`, in the output's unit."""
        scale = 1.0 if self.scale is None else self.scale
        return scale * _coarsest(_NOISE, dtypes, _NOISE_8_BIT)


def _coarsest(
    table: Mapping[torch.dtype, float], dtypes: Iterable[torch.dtype], other: float
) -> float:
    return max(table.get(dtype.to_real(), other) for dtype in dtypes)


def rounding(golden_peak: float, *dtypes: torch.dtype) -> float:
    """What of a difference is still rounding, in golden's unit, where max|golden| is `golden_peak`.

    Of several dtypes the coarsest counts.
    """
    return golden_peak * _coarsest(_ROUNDING, dtypes, _ROUNDING[torch.bfloat16])


DEFAULT = Tolerances()
