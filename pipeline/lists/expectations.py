# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Did each test do what its list promises? And what does that make of the run?"""

import shlex
from collections.abc import Collection, Iterable, Mapping

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.aliases import renamed
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.naming import run_again
from bringup.harness.records.schema import (
    GOOD,
    UNSETTLED,
    Outcome,
    Plan,
    PlannedTest,
    TestRecord,
)
from bringup.pipeline.lists.specs import PROBE, list_specs


def promised(list_name: str, state: DeviceState) -> frozenset[Outcome]:
    """The outcomes that keep a list's promise on a device; of no list, as good as it can; any of a
    probe, which promises nothing."""
    if list_name == PROBE:
        return frozenset(Outcome)
    spec = list_specs().get(list_name)
    return spec.promise(state) if spec else GOOD


def promises_of(
    plans: Iterable[Plan], aliases: Mapping[str, str]
) -> dict[str, Collection[Outcome]]:
    """By key of today, the outcomes that keep each listed test's promise where its shard ran.

    Two shards' machines may have the same device in different states. Of a test whose plan does
    not say in which state its device was, nothing is known.
    """
    return {
        renamed(test.identity.key, aliases): promised(
            test.list_name, plan.devices[test.identity.device]
        )
        for plan in plans
        for test in plan.tests
        if test.list_name and test.identity.device in plan.devices
    }


def broken(
    tests: Iterable[PlannedTest],
    records: Mapping[str, TestRecord],
    states: Mapping[str, DeviceState],
) -> list[tuple[PlannedTest, TestRecord | None]]:
    """The tests that did not keep their promise, with their records; `records` are by key."""
    found = []
    for test in tests:
        record = records.get(test.identity.key)
        state = states.get(test.identity.device, DeviceState.EXECUTES)
        if record is None or record.outcome not in promised(test.list_name, state):
            found.append((test, record))
    return found


def exit_code(unkept: Iterable[tuple[PlannedTest, TestRecord | None]]) -> ExitCode:
    """The code of a run that came to its end."""
    outcomes = {record.outcome if record else Outcome.NOT_RUN for _, record in unkept}
    if outcomes & UNSETTLED:
        return ExitCode.INFRASTRUCTURE
    return ExitCode.BROKEN if outcomes else ExitCode.KEPT


def reproduce(test: PlannedTest) -> str:
    """The shell command that runs one test again, by itself."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in test.environment.items()]
    return " ".join([*variables, run_again(test.nodeid, test.identity, test.entry)])
