# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the last nights would have moved under a policy: the history again, night by night.

Attempts are those that the nights made: a policy that asks for more of them finds no more here.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.writable import encoded
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE, NIGHTLY_FULL
from bringup.pipeline.promotion.decide import Step, applied, propose
from bringup.pipeline.promotion.decision import Situation
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.weighing import Place

PREVIEW_NAME = "preview.json"


class PreviewNight(msgspec.Struct, frozen=True):
    """A night, what it would have moved, and how many tests stand where after it."""

    run: str
    at: float
    """Seconds since the epoch."""
    steps: tuple[Step, ...]
    standing: Mapping[Standing, int]


class Preview(msgspec.Struct, frozen=True):
    """`preview.json`: data for a chart."""

    nights: tuple[PreviewNight, ...]

    @property
    def steps(self) -> list[Step]:
        """Every move, in its order."""
        return [step for night in self.nights for step in night.steps]


def preview(situation: Situation, nights: int) -> Preview:
    """Replay the last `nights` nights; the moves of each stand for all that follow.

    Tests begin where the list stood that ran them before the first of these nights; of one that
    no list ran then, where it stands today.
    """
    s, columns = situation, situation.columns
    times = np.unique(columns.at)
    told = times[-nights:]
    places = _places_then(s, float(told[0]) if len(told) else 0.0)
    found = []
    for at in told.tolist():
        past = columns.take(columns.at <= at)
        steps = propose(past, places, s.policy, s.compile_only, s.ops_compile)
        places = applied(places, steps, at)
        row = int(np.flatnonzero(columns.at == at)[0])
        count: dict[Standing, int] = {}
        for place in places.values():
            count[place.standing] = count.get(place.standing, 0) + 1
        found.append(PreviewNight(columns.run[row], at, tuple(steps), dict(sorted(count.items()))))
    return Preview(tuple(found))


def _places_then(s: Situation, first: float) -> dict[str, Place]:
    places = dict(s.places)
    standing = {
        NIGHTLY_FULL.name: Standing.FULL,
        NIGHTLY_E2E_COMPILE.name: Standing.COMPILE,
    }
    ran: dict[str, str] = {}
    for sample in s.samples:
        if sample.at <= first and sample.list_name in standing and sample.test in places:
            ran[sample.test] = sample.list_name
    for test, name in ran.items():
        if places[test].standing is not Standing.SKIPPED:
            places[test] = Place(standing[name])
    return {test: msgspec.structs.replace(p, fell=-np.inf) for test, p in places.items()}


def lines_of(found: Preview, most: int = 50) -> list[str]:
    """What a preview comes to, for a terminal."""
    steps = found.steps
    up = sum(step.up for step in steps)
    lines = [
        f"nights: {len(found.nights)}; moves that they would have made: {len(steps)}, {up} of them "
        f"up; tests that move: {len({step.test for step in steps})}"
    ]
    told = [(night.run, step) for night in found.nights for step in night.steps]
    lines += [f"  {run}: {s.test}: {s.was} -> {s.to}: {s.reason}" for run, s in told[:most]]
    lines += [f"  and {len(told) - most} more"] if told[most:] else []
    return lines


def write_preview(found: Preview, folder: Path) -> Path:
    """Write it below a folder.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(folder / PREVIEW_NAME, msgspec.json.format(encoded(found)))
