# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What StableHLO's padding puts at the ends of a tensor, or cuts off."""

from collections.abc import Sequence

import torch


def with_ends(
    x: torch.Tensor, low: Sequence[int], high: Sequence[int], value: float | complex = 0
) -> torch.Tensor:
    """`low` and `high` elements of `value` before and after each of the last dimensions.

    Below zero they cut off, of what the other end added too: PyTorch refuses to cut off more than
    there was.
    """
    first = x.ndim - len(low)
    added = [max(end, 0) for pair in zip(low[::-1], high[::-1], strict=True) for end in pair]
    whole = torch.nn.functional.pad(x, added, value=value) if any(added) else x  # type: ignore[arg-type]
    for axis, (before, after) in enumerate(zip(low, high, strict=True), first):
        kept = slice(max(-before, 0), max(whole.shape[axis] + min(after, 0), 0))
        whole = whole[(slice(None),) * axis + (kept,)]
    return whole
