# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Between which two of many versions something changed, in few probes. No I/O.

Both ends are probed, then the middle of what is left. A version that says nothing (it cannot be
installed, it ends in another way) is passed over for its nearest neighbour. That makes at most
`ceil(log2(n)) + 2` probes of n versions, and one more for each that says nothing.
"""

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class Says(enum.StrEnum):
    """What a version says of a failure."""

    BAD = "bad"
    """The failure is there, be it only at times."""
    GOOD = "good"
    NOTHING = "nothing"
    """It could not be asked, or it ends in a way that is neither."""


@dataclass(frozen=True)
class Probed:
    """One version that was asked."""

    version: str
    says: Says
    why: str = ""
    """How it ended, in a few words."""
    flaky: bool = False
    """It was there at times only."""


@dataclass(frozen=True)
class Boundary:
    """What came of a search."""

    probes: tuple[Probed, ...]
    """In the order in which they were asked."""
    before: Probed | None = None
    """The last version that differs from those after it; None where all that said something
    agree."""
    after: Probed | None = None
    """The first one after it that was asked and said something."""
    between: tuple[str, ...] = ()
    """Versions between the two, of which each says nothing."""


def most_probes(versions: int) -> int:
    """Probes that a search takes at most where every version says something."""
    return math.ceil(math.log2(max(versions, 1))) + 2


def search(versions: Sequence[str], probe: Callable[[str], Probed]) -> Boundary:
    """Find where it changes; `versions` are in order, and a change is taken to be the only one.

    Where the oldest say nothing, they are taken to be all those up to some version.
    """
    asked: list[Probed] = []

    def ask(place: int) -> Probed:
        asked.append(probe(versions[place]))
        return asked[-1]

    high = len(versions) - 1
    while high >= 0 and (last := ask(high)).says is Says.NOTHING:
        high -= 1
    if high < 1:
        return Boundary(tuple(asked))
    low, first = -1, None
    silent: set[int] = set()
    place: int | None = 0
    while place is not None:
        found = ask(place)
        if found.says is Says.NOTHING:
            silent.add(place)
        elif found.says is last.says:
            if place == 0:
                break
            high, last = place, found
        else:
            low, first = place, found
        place = _next(low, high, silent)
    if first is None:
        return Boundary(tuple(asked))
    return Boundary(tuple(asked), first, last, tuple(versions[low + 1 : high]))


def _next(low: int, high: int, silent: set[int]) -> int | None:
    """The version to ask next: in the middle of what is left; None where nothing is."""
    if low < 0:  # none that differs was found yet, so it is above those that say nothing
        low = max((place for place in silent if place < high), default=low)
    left = [place for place in range(low + 1, high) if place not in silent]
    return min(left, key=lambda place: (abs(2 * place - low - high), place), default=None)
