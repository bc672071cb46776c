# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A device's last nights: which share was compiled, executed, good, as lines over nights.

The shares are those of `tally`, of every night: of outcomes that say something of a model.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bringup.harness.records.schema import GOOD, NOT_EVIDENCE, Outcome, Status
from bringup.harness.records.trends import ABSENT, NO_EVIDENCE, Trends
from bringup.reports.model.changes import day_text
from bringup.reports.text.numbers import moment_text

Shares = npt.NDArray[Any]


@dataclass(frozen=True)
class Line:
    """One share over the nights."""

    name: str
    percent: tuple[float | None, ...]
    """By night, the oldest first; None where there was nothing to have a share of."""
    change: float | None
    """Percentage points from the baseline to tonight; None where one of them is unknown."""


def device_lines(
    trends: Trends, device: str, baseline: str, compile_only: Collection[str] = ()
) -> tuple[Line, ...]:
    """Compiled, executed and good of a device, or of all where `device` is empty.

    `compile_only` are the devices that do not execute.
    """
    rows = [i for i, t in enumerate(trends.tests) if not device or _is_on(t, device)]
    shape = (len(trends.tests), len(trends.nights))
    codes = np.frombuffer(trends.outcome, np.uint8).reshape(shape)[rows] & (NO_EVIDENCE - 1)
    status = np.frombuffer(trends.status, np.uint8).reshape(shape)[rows]
    evidence = (codes > 0) & ~np.isin(codes, _codes(trends, NOT_EVIDENCE))
    runs_it = [not any(_is_on(trends.tests[i], name) for name in compile_only) for i in rows]
    to_execute = evidence & ~np.isin(codes, _codes(trends, {Outcome.REACHED}))
    to_execute &= np.asarray(runs_it, bool)[:, None]
    runs = [night.run for night in trends.nights]
    ends = tuple(runs.index(run) if run in runs else -1 for run in (baseline, trends.run))
    return (
        _line("compiled", (status >= Status.CONVERTED_TO_TTNN) & evidence, evidence, ends),
        _line("executed", (status >= Status.EXECUTED) & to_execute, to_execute, ends),
        _line("good", np.isin(codes, _codes(trends, GOOD)) & evidence, evidence, ends),
    )


def statuses_by_night(trends: Trends) -> dict[str, list[int]]:
    """By night, the oldest first, how many tests reached each `Status`; two of a day say when."""
    shape = (len(trends.tests), len(trends.nights))
    ran = np.frombuffer(trends.outcome, np.uint8).reshape(shape) != ABSENT
    status = np.frombuffer(trends.status, np.uint8).reshape(shape)
    counts = [np.bincount(status[ran[:, n], n], minlength=len(Status)) for n in range(shape[1])]
    days = [day_text(night) for night in trends.nights]
    names = [
        day if days.count(day) == 1 else moment_text(night.at) or night.run
        for day, night in zip(days, trends.nights, strict=True)
    ]
    return {name: found.tolist() for name, found in zip(names, counts, strict=True)}


def _line(name: str, part: Shares, whole: Shares, ends: tuple[int, ...]) -> Line:
    parts, wholes = part.sum(axis=0).tolist(), whole.sum(axis=0).tolist()
    percent = tuple(100 * p / w if w else None for p, w in zip(parts, wholes, strict=True))
    was, now = (percent[at] if at >= 0 else None for at in ends)
    change = now - was if was is not None and now is not None else None
    return Line(name, percent, change)


def _is_on(test: str, device: str) -> bool:
    return test.endswith(f"@{device}")


def _codes(trends: Trends, wanted: "frozenset[Outcome] | set[Outcome]") -> list[int]:
    return [at + 1 for at, outcome in enumerate(trends.outcomes) if outcome in wanted]


def new_names(trends: Trends | None) -> list[str]:
    """Names of ops that a run went through and none of the nights before it; nothing where no
    night before it went op by op."""
    if trends is None:
        return []
    runs = [night.run for night in trends.nights]
    before = runs.index(trends.run) if trends.run in runs else 0
    shape = (len(trends.ops), len(trends.nights))
    counts = np.frombuffer(trends.op_results, "<u4").reshape(shape)
    earlier = counts[:, :before]
    if not earlier.any() or before == len(runs):
        return []
    new = ~earlier.any(axis=1) & (counts[:, before] > 0)
    return [name for name, is_new in zip(trends.ops, new.tolist(), strict=True) if is_new]
