# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What other blocks' rounding allows a block, whose own golden error may be small by chance.

See `bounds` for the whole of a bound. A block gets what the median block is off by, and what the
median element is; but of a block that is smaller than others only the same part of its own size,
unless its own error says that it is what is left of larger numbers.
"""

import math
from dataclasses import dataclass

import torch

from bringup.harness.verify.arithmetic import storage_unit, unit_of
from bringup.harness.verify.blocks import BlockSums, Family

NATURAL_TIMES = 8.0
"""So many times golden's own error may a block be off."""
_NOISE_SHARE = 0.25
_SHARED_MOST = 0.5
_SHORT = 4
_CHANCE = 1e4
"""A norm of n errors is less than `_CHANCE`^(-1/n) of the usual as rarely as once in so many."""
_CHANCE_OF_BOTH = 1e3
"""The same of an error that is less than a rounding of what is itself small by chance."""
_CONDITIONED = 30.0
_ONE_CAUSE = 100.0
"""A block that is off by 30 times the part of itself that others are may be so by one number before
it, however many its own: one throw, of which a hundredth is as rare as 1 in 100."""
_EXACT = 8
"""Numbers of which, by chance, not one is off: sums of products of few bits are exact, or off by
whole steps, a third of the time each."""
_PLAUSIBLE = 0.25
"""What golden's error by chance comes to, beside what others are off by, or it is no chance."""


@dataclass(frozen=True)
class Sharing:
    """What blocks of one comparison have in common."""

    usual: float
    """What an element that golden is off in is off by: the median over rows of the RMS."""
    relative: float
    """The same as a part of its row's RMS, of rows that golden has digits of; inf: nobody knows."""
    stored: float
    """What an element of a short block may be off where values are stored in 16 bits or less."""
    stored_relative: float
    """The same as a part of the block's RMS."""
    unit: float
    """One rounding of golden's dtype, of which its own error may say nothing."""
    times: float
    """So many times golden's own error a block may be off: `NATURAL_TIMES`, or more."""
    known: bool
    """Is golden's own error known?"""

    @classmethod
    def of(
        cls,
        sums: BlockSums,
        stored: float,
        dtypes: tuple[torch.dtype, torch.dtype],
        times: float,
        *,
        known: bool,
    ) -> "Sharing":
        """What the rows of one comparison say.

        Args:
            sums: of the pair.
            stored: what storing a value costs, as a part of the tensor's usual size; 0 of over 16
                bits.
            dtypes: golden's and actual's.
            times: so many times golden's own error may a block be off.
            known: whether golden's own error is known.
        """
        row, off = sums.families[0], sums.noisy > 0
        errors = row.natural[off] / sums.noisy[off].sqrt()
        sizes = row.golden[off] / row.size[off].clamp(min=1).sqrt()
        digits = ~is_noise(row)[off]
        return cls(
            usual=float(errors.median()) if len(errors) else 0.0,
            relative=_median(errors[digits] / sizes[digits]),
            stored=stored * sums.bulk,
            stored_relative=stored,
            unit=max(storage_unit(*dtypes), unit_of("f32")),
            times=times,
            known=known,
        )

    def norms(self, family: Family) -> torch.Tensor:
        """What the median block's error allows the others, up to half of a block.

        A vector of norms, one a block, in the unit of `family`.
        """
        found = family.natural[family.natural > 0]
        usual = float(found.median()) if len(found) else 0.0
        allowed = (_SHARED_MOST * family.golden).clamp(max=self.times * usual)
        digits = (family.natural > 0) & ~is_noise(family)
        part = _median(family.natural[digits] / family.golden[digits])
        return self._own(allowed, family, self.times * part)

    def elements(self, family: Family) -> torch.Tensor:
        """What each element of a block may be off, by what the median element is.

        A vector of RMS, one a block, in the unit of `family`.
        """
        short = _SHORT / family.size.clamp(min=_SHORT)
        allowed = self.stored * short + self.times * self.usual * short.sqrt()
        part = self.stored_relative * short
        if self.usual:
            part = part + self.times * self.relative * short.sqrt()
        return (
            self._own(allowed * family.size.sqrt(), family, part) / family.size.clamp(min=1).sqrt()
        )

    def _own(
        self, allowed: torch.Tensor, family: Family, part: torch.Tensor | float
    ) -> torch.Tensor:
        """The norms `allowed`, or less in blocks that are small and not by cancellation."""
        if not self.known:
            return allowed
        chance = self._chance(family)
        chance[chance < _PLAUSIBLE * allowed] = 0.0
        if not self.stored:  # of 16 bits and less a rounding has been taken off of every error
            chance[(family.natural == 0) & (family.size < _EXACT)] = math.inf
        limit = part * family.golden + chance
        return torch.where(is_noise(family), allowed, allowed.minimum(limit))

    def _chance(self, family: Family) -> torch.Tensor:
        """What golden's own error in a block may be too small by, a norm."""
        root = 1 / family.size.clamp(min=1)
        usual = self.relative * family.golden
        of_natural = _CHANCE**root - 1
        of_one = (family.natural > _CONDITIONED * usual) & (of_natural < _ONE_CAUSE)
        of_natural[of_one] = _ONE_CAUSE
        of_unit = (_CHANCE_OF_BOTH**root - 1) * self.unit * family.golden
        return self.times * (of_natural * family.natural + of_unit)


def is_noise(family: Family) -> torch.Tensor:
    """Which blocks golden has no digit right in, a vector of bools; a block of zeros is one."""
    return (family.natural > _NOISE_SHARE * family.golden) | (family.golden == 0)


def _median(values: torch.Tensor) -> float:
    return float(values.median()) if len(values) else math.inf
