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
from bringup.harness.records.trends import NO_EVIDENCE, Trends

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
