# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What time and memory tests took in the runs of history, for a machine that never ran them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.history.store.tables import NOWHERE
from bringup.pipeline.messages import Speaker
from bringup.pipeline.planning.durations import LONGEST_S, MEASURED, Durations, Sample, latest

if TYPE_CHECKING:
    from bringup.pipeline.history.store.history import History

RUNS = 20
"""The newest runs that are looked at; a test that is in none of them is an unknown one."""


def with_history(
    known: Durations, address: str, aliases: Mapping[str, str], say: Speaker
) -> Durations:
    """What is known, and of tests of which nothing is known what the history has.

    A history that cannot be read is a warning: the plan is a little worse, no more.
    """
    if address == NOWHERE:
        return known
    try:
        from bringup.pipeline.history.store.history import History  # with it comes the database

        found = _durations(History(address), aliases)
    except PipelineError as error:
        say(f"warning: estimates are without the history at {address}: {error}")
        return known
    return Durations({**found, **_with_memory(known, found)})


def _with_memory(
    known: Durations, found: Mapping[str, tuple[Sample, ...]]
) -> dict[str, tuple[Sample, ...]]:
    """What is known here; a test whose memory nobody measured here has that of the history."""
    samples = dict(known.samples)
    for test, own in samples.items():
        peak = max((s.memory or 0 for s in found.get(test, ())), default=0)
        if peak and not any(s.memory for s in own):
            samples[test] = tuple(msgspec.structs.replace(s, memory=peak) for s in own)
    return samples


def _durations(history: "History", aliases: Mapping[str, str]) -> dict[str, tuple[Sample, ...]]:
    from bringup.pipeline.history.store.read import samples

    runs = history.runs()[-RUNS:]
    taken: dict[str, list[Sample]] = defaultdict(list)
    for one in samples(history, runs, None, aliases) if runs else ():
        if one.outcome in MEASURED and one.seconds and 0 < one.seconds <= LONGEST_S:
            seconds, cached = round(one.seconds, 3), one.excluded is Excluded.CACHED
            sample = Sample(seconds, one.at, one.memory, cached=cached, outcome=one.outcome.value)
            taken[one.test].append(sample)
    return {test: latest(each) for test, each in taken.items()}
