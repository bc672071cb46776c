# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Probes: full flows of tests that are not on nightly full, looked at so that they can come back.

A probe stands in a night's plan with the list name `probe`. It promises nothing, gates nothing, and
its record counts for promotion as any other attempt.
"""

import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from bringup.harness.records.device_listing import DeviceState
from bringup.pipeline.lists.specs import NIGHTLY_E2E_COMPILE
from bringup.pipeline.promotion.ladder import PROBED, Standing, standing_on
from bringup.pipeline.promotion.policy import Policy
from bringup.pipeline.promotion.standings import Listed

DAY_S = 86400.0
FIRST_IN_TURN = 7
"""Every so many nights a test is among the first whatever it costs, so that none waits for ever."""
UNKNOWN_S = 60.0
"""What a probe is taken to last that never ran."""


class Probe(NamedTuple):
    """A full flow that is to be looked at tonight."""

    key: str
    test: str
    """The entry of its full flow."""
    device: str


def candidates(
    listed: Iterable[Listed], states: Mapping[str, DeviceState], policy: Policy
) -> list[Listed]:
    """Tests that are looked at by probes, on the devices that are here."""
    return [
        one
        for one in listed
        if states.get(one.device, DeviceState.MISSING) is not DeviceState.MISSING
        and (standing := standing_on({e.list for e in one.entries})) in PROBED
        and not (standing is Standing.COMPILE and states[one.device] is DeviceState.COMPILES)
        and one.standing is not Standing.SKIPPED
        and not policy.pin_of(one.key)
    ]


def probes(
    found: Iterable[Listed],
    night: int,
    seconds: Callable[[str], float | None],
    policy: Policy,
) -> list[Probe]:
    """Tonight's probes among some candidates, within the policy's budget, the cheapest first.

    Args:
        night: Number of the night; what is due by it is the same on all machines.
        seconds: What a test takes, by its key; None: nobody knows.
    """
    due = [one for one in found if _is_due(one, night, policy)]
    costs = {one.key: seconds(one.key) for one in due}

    def cost(one: Listed) -> float:
        known = costs[one.key]
        return UNKNOWN_S if known is None else known

    due.sort(key=lambda one: (_turn(one.key, night, FIRST_IN_TURN) != 0, cost(one), one.key))
    chosen, spent = [], 0.0
    for one in due:
        if spent + cost(one) <= policy.probe.budget_s:
            spent += cost(one)
            chosen.append(Probe(one.key, one.test, one.device))
    return sorted(chosen)


def planned_before(found: Iterable[Listed], keys: Collection[str]) -> list[Probe]:
    """The probes of a plan that is taken up again, by the keys that it knows."""
    return sorted(Probe(one.key, one.test, one.device) for one in found if one.key in keys)


def _is_due(one: Listed, night: int, policy: Policy) -> bool:
    compiling = bool(one.on(NIGHTLY_E2E_COMPILE))
    every = policy.probe.every_compiling if compiling else policy.probe.every
    return every > 0 and _turn(one.key, night, every) == 0


def _turn(key: str, night: int, every: int) -> int:
    return (zlib.crc32(key.encode()) + night) % every
