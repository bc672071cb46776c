# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a test's series breaks: the change points of a sequence of good and bad nights.

The rule is LUCI Analysis' (its `analyzer.go`). With x bad attempts of n, `LL(x, n) = ln B(a + x,
b + n - x) - ln B(a, b)`, a = 0.3 and b = 0.5, is how likely a stretch is under one unknown rate of
failure. A series breaks where `LL(left) + LL(right) - LL(all) + ln(prior) > 0`; each part may break
again. The likelihoods of all places a break may have give the 99 % interval of where it is.

Two things are ours, since one sample a night is little:

- The prior is 1e-2 where a test was only good and then only bad: 3 bad nights after 7 good ones, 2
  after 14. Everything else needs 1e-3: a test that was seen both ways is more likely a flake, and
  nobody is woken for a test that got better. At 5 % flake that breaks six series of 10,000 in 30
  nights, with 1e-2 throughout it is seventy.
- A break to the worse has two bad attempts at least, however long all was well.

Of a bad stretch inside a good one neither end alone need be a break; both ends together are tried.
"""

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ALPHA, BETA = 0.3, 0.5
PRIOR_CLEAN = 1e-2
"""Of a break from only good to only bad."""
PRIOR_MIXED = 1e-3
"""Of any other break."""
FEWEST_BAD = 2
"""Attempts of the worse side that were bad."""
INTERVAL = 0.99


@dataclass(frozen=True)
class Segment:
    """A stretch of nights with one rate of failure; positions count the series' evidence."""

    start: int
    """The first night of it, most likely."""
    end: int
    """One behind its last night."""
    earliest: int
    """The interval (99 %) of its first night; with the first segment both are 0."""
    latest: int
    bad: int
    """Attempts that were bad, of `total`."""
    total: int

    @property
    def rate(self) -> float:
        """Share of bad attempts."""
        return self.bad / self.total if self.total else 0.0


def segments(bad: Counts, total: Counts) -> tuple[Segment, ...]:
    """Cut a series where it breaks.

    Args:
        bad: int64[nights], attempts of each night that count against the test.
        total: int64[nights], attempts of each night, at least one.
    """
    if not len(bad):
        return ()
    x = np.concatenate(([0], np.cumsum(bad)))
    n = np.concatenate(([0], np.cumsum(total)))
    starts = sorted({0, *_starts(x, n, 0, len(bad))})
    return _cut(x, n, starts)


def without(
    bad: Counts, total: Counts, found: tuple[Segment, ...], ignored: set[int]
) -> tuple[Segment, ...]:
    """The same segments, those that start at an ignored position joined to the one before."""
    if not ignored:
        return found
    x = np.concatenate(([0], np.cumsum(bad)))
    n = np.concatenate(([0], np.cumsum(total)))
    return _cut(x, n, [s.start for s in found if s.start not in ignored])


def _cut(x: Counts, n: Counts, starts: list[int]) -> tuple[Segment, ...]:
    edges = [*starts, len(x) - 1]
    found = []
    for i, start in enumerate(starts):
        low, high = (0, 0) if i == 0 else _interval(x, n, edges[i - 1], start, edges[i + 1])
        end = edges[i + 1]
        found.append(Segment(start, end, low, high, int(x[end] - x[start]), int(n[end] - n[start])))
    return tuple(found)


def _starts(x: Counts, n: Counts, low: int, high: int) -> list[int]:
    """Where the part [low, high) breaks, by position, its own parts included."""
    bad = x[high] - x[low]
    if bad < FEWEST_BAD or bad == n[high] - n[low]:  # only good, only bad: the common case
        return []
    found = _best(x, n, low, high) or _inner(x, n, low, high)
    edges = [low, *found, high]
    deeper = [_starts(x, n, *pair) for pair in itertools.pairwise(edges)] if found else []
    return [*found, *(start for part in deeper for start in part)]


def _best(x: Counts, n: Counts, low: int, high: int) -> list[int]:
    at = np.arange(low + 1, high)
    left_x, left_n = x[at] - x[low], n[at] - n[low]
    right_x, right_n = x[high] - x[at], n[high] - n[at]
    odds = (
        likelihood(left_x, left_n)
        + likelihood(right_x, right_n)
        - likelihood(x[high] - x[low], n[high] - n[low])
    )
    odds += _log_prior(left_x, left_n, right_x, right_n)
    most = int(odds.argmax())
    return [low + 1 + most] if odds[most] > 0 else []


def _log_prior(left_x: Counts, left_n: Counts, right_x: Counts, right_n: Counts) -> Floats:
    clean = (left_x == 0) & (right_x == right_n)
    worse_bad = np.where(right_x * left_n > left_x * right_n, right_x, left_x)
    prior = np.where(clean, np.log(PRIOR_CLEAN), np.log(PRIOR_MIXED))
    return np.where(worse_bad >= FEWEST_BAD, prior, -np.inf)


def _inner(x: Counts, n: Counts, low: int, high: int) -> list[int]:
    """Both ends of the run of bad nights that most likely is a segment between two others."""
    wholly_bad = np.diff(x[low : high + 1]) == np.diff(n[low : high + 1])
    edges = np.flatnonzero(np.diff(np.concatenate(([0], wholly_bad.view(np.int8), [0])))) + low
    begins, ends = edges[::2], edges[1::2]
    inside = (begins > low) & (ends < high) & (x[ends] - x[begins] >= FEWEST_BAD)
    begins, ends = begins[inside], ends[inside]
    if not len(begins):
        return []
    odds = (
        likelihood(x[begins] - x[low], n[begins] - n[low])
        + likelihood(x[ends] - x[begins], n[ends] - n[begins])
        + likelihood(x[high] - x[ends], n[high] - n[ends])
        - likelihood(x[high] - x[low], n[high] - n[low])
        + np.where(x[begins] == x[low], np.log(PRIOR_CLEAN), np.log(PRIOR_MIXED))
        + np.log(PRIOR_MIXED)
    )
    most = int(odds.argmax())
    return [int(begins[most]), int(ends[most])] if odds[most] > 0 else []


def _interval(x: Counts, n: Counts, low: int, start: int, high: int) -> tuple[int, int]:
    """The 99 % interval of a break's position, between the breaks beside it."""
    at = np.arange(low + 1, high)
    odds = likelihood(x[at] - x[low], n[at] - n[low])
    odds = odds + likelihood(x[high] - x[at], n[high] - n[at])
    share = np.cumsum(np.exp(odds - odds.max()))
    share /= share[-1]
    tail = (1 - INTERVAL) / 2
    first, last = np.searchsorted(share, (tail, 1 - tail))
    last = min(int(last), len(at) - 1)
    return min(low + 1 + int(first), start), max(low + 1 + last, start)


def likelihood(x: Counts, n: Counts) -> Floats:
    """LL(x, n) of the rule above, for arrays of counts."""
    bad, good, both = _tables(1 << int(np.max(n, initial=1)).bit_length())
    found: Floats = bad[x] + good[n - x] - both[n]
    return found


@functools.cache
def _tables(most: int) -> tuple[Floats, Floats, Floats]:
    """ln of Gamma(first + count) / Gamma(first), by count: sums of logarithms, once for all."""
    counts = np.arange(most)

    def rising(first: float) -> Floats:
        return np.concatenate(([0.0], np.cumsum(np.log(first + counts))))

    return rising(ALPHA), rising(BETA), rising(ALPHA + BETA)
