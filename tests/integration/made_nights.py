# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights that a small fleet had, by their records: written as runs are, and in its history."""

from collections.abc import Mapping

import msgspec

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import Outcome, Status
from bringup.pipeline.history.store.history import History
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from tests.integration.small_fleet import SmallFleet
from tests.unit import run_builder as made

DAY = 86_400.0


def nights_of(fleet: SmallFleet, series: Mapping[str, str]) -> None:
    """By model, one letter a night: `.` passed, `F` failed in compile; run `nNN` each, on n150."""
    history = History(str(fleet.root / "results" / "history"))
    for night in range(max(map(len, series.values()))):
        at = made.STARTED + night * DAY
        records, planned = [], []
        for model, letters in series.items():
            test = made.identity(model)
            entry = f"tests/models/test_{model}.py::test_{model}[full-eval]"
            nodeid = entry.replace("]", "-n150]")
            good = letters[night] == "."
            status = Status.EXECUTED if good else Status.CONVERTED_TO_STABLE_HLO
            records.append(
                made.record(
                    test,
                    Outcome.PASSED if good else Outcome.FAILED,
                    status,
                    nodeid=nodeid,
                    entry=entry,
                    started=at,
                    ended=at + 30,
                )
            )
            planned.append(test)
        plan = msgspec.structs.replace(
            made.plan_of(planned, NIGHTLY_FULL.name),
            run_id=f"n{night:02}",
            created=at,
            devices={"n150": DeviceState.EXECUTES},
        )
        run_dir = fleet.root / "results" / plan.run_id
        history.add(made.write_run(run_dir, records, plan=plan, created=at))
