# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Delta debugging: the smallest part of a sequence that still fails the same way.

First the sequence is cut from the front and from the back by bisection, which is all it takes when
one item is to blame; then Zeller and Hildebrandt's ddmin ("Simplifying and Isolating
Failure-Inducing Input", 2002) takes out what is left between. What comes back was seen to fail, and
taking any one item out of it was seen not to.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Keeps = Callable[[Sequence[T]], bool]


def minimise(items: Sequence[T], keeps: Keeps[T]) -> list[T]:
    """A smallest subsequence of `items` for which `keeps` holds, as it does for `items`.

    No sequence is asked about twice. What `keeps` raises ends the search.
    """
    asked: dict[tuple[int, ...], bool] = {}

    def kept(places: Sequence[int]) -> bool:
        key = tuple(places)
        if key not in asked:
            asked[key] = keeps([items[i] for i in key])
        return asked[key]

    places = _without_front(range(len(items)), kept)
    places = _without_back(places, kept)
    return [items[i] for i in _ddmin(list(places), kept)]


def _without_front(places: Sequence[int], kept: Keeps[int]) -> Sequence[int]:
    """Drop as many as bisection finds; failing is taken to be monotonic, and need not be."""
    low, high = 0, len(places) - 1  # keeping from `low` on is known to fail
    while low < high:
        middle = (low + high + 1) // 2
        if kept(places[middle:]):
            low = middle
        else:
            high = middle - 1
    return places[low:]


def _without_back(places: Sequence[int], kept: Keeps[int]) -> Sequence[int]:
    low, high = 1, len(places)  # keeping the first `high` is known to fail
    while low < high:
        middle = (low + high) // 2
        if kept(places[:middle]):
            high = middle
        else:
            low = middle + 1
    return places[:high]


def _ddmin(places: list[int], kept: Keeps[int]) -> list[int]:
    pieces = 2
    while len(places) > 1:
        smaller = _smaller(places, pieces, kept)
        if smaller is not None:
            fewer = len(smaller) * pieces < len(places) * (pieces - 1)
            places, pieces = smaller, 2 if fewer else max(pieces - 1, 2)
        elif pieces < len(places):
            pieces = min(2 * pieces, len(places))
        else:
            break
    return places


def _smaller(places: list[int], pieces: int, kept: Keeps[int]) -> list[int] | None:
    """One of `pieces` pieces, or all but one of them, that is enough; None when none is."""
    bounds = [len(places) * i // pieces for i in range(pieces + 1)]
    ranges = list(itertools.pairwise(bounds))
    for start, end in ranges:
        if kept(places[start:end]):
            return places[start:end]
    for start, end in ranges:
        rest = places[:start] + places[end:]
        if rest and kept(rest):
            return rest
    return None
