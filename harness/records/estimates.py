# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Estimates: what a program takes of a device's memory and time, by its compiler and its figures.

They are values on record beside what happened, and never a measurement.
"""

import enum

import msgspec

ASSUMPTION = (
    "an estimate, not a measurement: every unit at the data sheet's peak rate, arithmetic and"
    " memory traffic at the same time, weights and inputs already in the device's memory"
)
"""Under which an estimate's seconds hold; a real run takes longer."""


class Bound(enum.StrEnum):
    """What an estimate's seconds are spent on."""

    COMPUTE = "compute"
    MEMORY = "memory"


class Source(enum.StrEnum):
    """Who says it."""

    COMPILER = "compiler"
    """The device's compiler, of the program that it compiled."""
    PROGRAM = "program"
    """Counted over StableHLO. Of memory that is arguments and outputs alone: a lower bound."""


class Memory(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a program needs of a device's memory, in bytes."""

    arguments: int
    """Weights included."""
    outputs: int
    available: int
    """What the device has."""
    temporaries: int | None = None
    """None: nobody says."""
    code: int | None = None
    """The program itself, constants included; None: nobody says."""
    aliased: int = 0
    """Outputs that lie where arguments did."""
    source: Source = Source.COMPILER

    @property
    def needed(self) -> int:
        """All of it together, as far as it is known."""
        between = (self.temporaries or 0) + (self.code or 0)
        return self.arguments + self.outputs - self.aliased + between

    @property
    def fits(self) -> bool:
        """Is it no more than the device has? Where temporaries are unknown, True proves nothing."""
        return self.needed <= self.available


class Estimate(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a program would take on a device."""

    memory: Memory
    flops: float
    """Operations, a multiplication and an addition being two."""
    bytes: float
    """Read and written in the device's memory: by the compiler's count, or by that over StableHLO
    where it is smaller."""
    source: Source
    """Who counted operations."""
    seconds: float | None = None
    """By the roofline of the device's figures (`ASSUMPTION`); None where those do not say."""
    bound: Bound | None = None
    rate: str = ""
    """The type whose peak rate was taken, e.g. `bf16`; empty: no rate is known."""
    refused: bool = False
    """The compiler says that it does not fit; `memory` is what was known before that."""

    @property
    def fits(self) -> bool:
        """Does it fit, as far as is known?"""
        return self.memory.fits and not self.refused


def span(seconds: float) -> str:
    """`4.32 s`, `4.32 ms`, `286 µs`, `43.2 ns`: an op is far below what anybody measures."""
    for unit, size in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if 0 < seconds < 999 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
