# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which cached verdicts a run takes as they are: all, none, or all but a share that is audited."""

import hashlib
from dataclasses import dataclass
from typing import Self

from bringup.harness.errors import UsageError
from bringup.harness.records import variable_values
from bringup.harness.records.variable_names import NO_CACHE_VARIABLE, RECHECK_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.verdicts.rules import chosen_for_recheck


@dataclass(frozen=True)
class Recheck:
    """What is done with hits in one run."""

    share: float = 0.0
    """0 to 1."""
    takes_hits: bool = True
    seed: int = 0

    @classmethod
    def from_environment(cls, run_id: str) -> Self:
        """As the environment says; another run rechecks other hits, the same run the same ones.

        Raises:
            UsageError: the share is not one, or the other variable is neither yes nor no.
        """
        none: bool = VARIABLES[NO_CACHE_VARIABLE].read()
        share: float = VARIABLES[RECHECK_VARIABLE].read() or 0.0
        seed = int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:8])
        return cls(share, not none, seed)

    def chooses(self, key: str) -> bool:
        """Is the hit under a cache key computed again?"""
        return chosen_for_recheck(key, self.share, self.seed)


def parse_share(text: str) -> float:
    """`2%` or `0.02` as a number from 0 to 1.

    Raises:
        UsageError: neither, or more than all.
    """
    try:
        return variable_values.share(text)
    except ValueError:
        said = f"`{text}` is no share of the cached verdicts; write 2% or 0.02"
        raise UsageError(said) from None
