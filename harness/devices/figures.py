# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is known of a device by its data sheet: how much it holds, how fast it computes and reads.

Estimates are made of it (`bringup.harness.estimate`); nothing that was measured is.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

Rate = Annotated[float, msgspec.Meta(gt=0, le=1e21)]


class Figures(msgspec.Struct, frozen=True):
    """A device's figures, of one of its chips where it has several."""

    memory: int
    """Bytes that a program may have."""
    bandwidth: float
    """Bytes per second between that memory and what computes."""
    peak: Mapping[str, float] = {}
    """Operations per second by type (`f32`, `tf32`, `bf16` ...), a multiplication and an addition
    being two; a type that nobody publishes a rate of is missing."""
    products: str = ""
    """The type in which matrix products of float32 are computed; empty: float32."""

    def computed_in(self, dtype: str) -> str:
        """The type whose rate holds for matrix products of a type, as StableHLO names it."""
        if dtype.startswith("f8"):
            return "f8"  # all forms of 8 bits go through the same units
        if dtype == "ui8":
            return "i8"
        return self.products if dtype == "f32" and self.products else dtype
