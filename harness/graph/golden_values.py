# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Golden values of a graph, in bounded memory: kept while they fit, else computed again."""

from collections.abc import Callable, Mapping, Sequence

import torch

from bringup.harness.errors import HarnessError

KEPT_BYTES = 1 << 30
"""What is kept for the next time, beside the model's own tensors."""

Compute = Callable[[Sequence[str], Mapping[str, torch.Tensor]], Sequence[torch.Tensor]]
"""Values by name, from those that are known."""


class GoldenError(HarnessError):
    """The reference cannot compute a value."""


class GoldenValues:
    """What a reference computes for a graph's values."""

    def __init__(
        self,
        given: Mapping[str, torch.Tensor],
        compute: Compute,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        """`given` are the graph's own arguments."""
        self._given = dict(given)
        self._compute = compute
        self._kept: dict[str, torch.Tensor] = {}
        self._room = kept_bytes

    @property
    def kept_bytes(self) -> int:
        """Bytes of the values that are kept now."""
        return sum(value.nbytes for value in self._kept.values())

    def of(self, names: Sequence[str]) -> list[torch.Tensor]:
        """The values of `names`.

        Raises:
            GoldenError: the reference cannot compute them.
        """
        known = {**self._given, **self._kept}
        missing = [name for name in dict.fromkeys(names) if name not in known]
        if missing:
            computed = self._compute(missing, known)
            found = dict(zip(missing, computed, strict=True))
            known |= found
            self._keep(found)
        return [known[name].detach() for name in names]

    def _keep(self, values: Mapping[str, torch.Tensor]) -> None:
        self._kept |= values
        while self._kept and self.kept_bytes > self._room:
            del self._kept[next(iter(self._kept))]
