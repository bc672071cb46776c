# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests of one device that begin to fail in the same night, more of them than chance explains.

A compiler that broke does that, and so does a device that is mildly sick, or sick in a short night:
too few of its tests fail for the night to be suspect. A test that was good between the failures, or
another night, tells them apart.

The beginnings of a night are taken as Poisson's, at the rate of the device's other nights:
P(X >= n) = 1 - sum of exp(-r) r^i / i! for i < n, with r = (beginnings + 1) / nights.
"""

import math

import numpy as np

from bringup.pipeline.history.judge.columns import Bools, Columns, Counts

FEWEST = 3
"""Two that break together are nothing odd."""


def places_of(rows: Columns) -> tuple[Counts, int]:
    """int64[rows]: device and run of each row as one number, and how many numbers there are."""
    runs = len(rows.run.words)
    place = rows.device.codes.astype(np.int64) * runs + rows.run.codes
    return place, runs * len(rows.device.words)


def crowded(rows: Columns, begins: Bools, control: Bools, error_rate: float) -> Bools:
    """bool[rows]: in the row's night and on its device too many good tests began to fail.

    Args:
        rows: What is evidence.
        begins: bool[rows], where a test that was good begins to fail.
        control: bool[rows], tests that were good between the failures of others.
        error_rate: So many are too many if chance shows them less often.
    """
    (place, size), runs = places_of(rows), len(rows.run.words)
    vouched = np.bincount(place[control], minlength=size)
    began = np.bincount(place[begins], minlength=size)
    ran = np.bincount(place, minlength=size) > 0
    shape = (len(rows.device.words), runs)
    all_of, nights = began.reshape(shape).sum(axis=1), ran.reshape(shape).sum(axis=1)
    found = np.zeros(size, np.bool_)
    for at in np.flatnonzero((began >= FEWEST) & (vouched == 0)).tolist():
        device = at // runs
        rate = float(all_of[device] - began[at] + 1) / max(int(nights[device]) - 1, 1)
        found[at] = at_least(int(began[at]), rate) < error_rate
    return np.asarray(found[place], np.bool_)


def at_least(count: int, rate: float) -> float:
    """P(X >= count) of a Poisson variable X with mean `rate`."""
    below = sum(math.exp(i * math.log(rate) - rate - math.lgamma(i + 1)) for i in range(count))
    return max(1.0 - below, 0.0)
