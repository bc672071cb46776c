# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The fleet: the runners that a run may be dealt out to, from a file, or this machine alone.

A file has a table for each runner, or for several that are alike:

    [[runner]]
    name = "n150-host"
    count = 4                       # four of them, n150-host-1 to n150-host-4
    labels = ["self-hosted", "n150"]
    memory_gib = 64
    slots = 4
    setup_s = 90
    devices = { cpu = 4, n150 = 1 } # how many tests each takes at a time

`docs/fleets/` has examples.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from bringup.harness.errors import RecordError
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.schema import PlannedTest
from bringup.harness.storage.decoding import decode_toml, read_bytes
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.shard import nobody_takes
from bringup.pipeline.planning.work import Runner, needs_of

_GIB = 1024**3
_SHOWN = 3
_Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
_Amount = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class RunnerTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
    """Of the runner; where there are several, followed by a number."""
    count: _Count = 1
    """How many are alike."""
    labels: tuple[str, ...] = ()
    """What a workflow asks for it by."""
    devices: Annotated[dict[str, _Count], msgspec.Meta(min_length=1)]
    """How many of each there are: so many tests run on it at a time."""
    memory_gib: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None = None
    """Of the host; absent: unknown."""
    cores: _Count | None = None
    """Of the host; absent: as many as slots."""
    slots: _Count | None = None
    """Tests at a time, on all devices together; absent: one for each core."""
    setup_s: _Amount = 0.0
    """Seconds before its first test starts: a checkout, an environment, a queue."""
    available: bool = True
    """False: not tonight, and the reason may stand in a comment beside it."""


class FleetFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    runner: Annotated[tuple[RunnerTable, ...], msgspec.Meta(min_length=1)]


def read_fleet(path: Path) -> list[Runner]:
    """The runners of a file that are available, in its order.

    Raises:
        PipelineError: it cannot be read, says what no fleet can be, or has no runner tonight.
    """
    try:
        text = read_bytes(path).decode("utf-8", "replace")
        tables = msgspec.convert(decode_toml(text, path), FleetFile).runner
    except (RecordError, msgspec.ValidationError) as error:
        said = str(error)
        raise PipelineError(said if str(path) in said else f"{path}: {said}") from None
    runners = [r for table in tables if table.available for r in _alike(table)]
    names = [r.name for r in runners]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise PipelineError(f"{path}: two runners are called {twice}")
    if not runners:
        raise PipelineError(f"{path}: no runner is available")
    return runners


def _alike(table: RunnerTable) -> Iterator[Runner]:
    slots = table.slots or table.cores or 1
    for i in range(1, table.count + 1):
        yield Runner(
            name=table.name if table.count == 1 else f"{table.name}-{i}",
            kinds=table.devices,
            slots=slots,
            memory=None if table.memory_gib is None else int(table.memory_gib * _GIB),
            setup_s=table.setup_s,
            labels=table.labels,
        )


def this_machine(devices: Iterable[ListedDevice], slots: int) -> Runner:
    """The runner that is here; a device that any number of tests share takes one for each slot."""
    here = [d for d in devices if d.state is not DeviceState.MISSING]
    kinds = {d.name: d.capacity or slots for d in here}
    return Runner("this machine", kinds, slots, psutil.virtual_memory().total)


def unmet(test: PlannedTest, runners: Sequence[Runner]) -> str:
    """Why no runner can run a test; empty when one can."""
    kind, kinds = test.identity.device, test.needs.kinds
    if kinds and kind not in kinds:
        return f"it needs {' or '.join(kinds)}, and is planned on {kind}"
    needs = needs_of(test)
    return "" if any(r.takes(needs) for r in runners) else nobody_takes(needs, runners)


def refuse_unmet(tests: Iterable[PlannedTest], runners: Sequence[Runner], where: object) -> None:
    """Refuse a plan with a test that would wait for ever.

    Raises:
        PipelineError: there is one; the sentence names up to three.
    """
    found = [(t.identity.key, why) for t in tests if (why := unmet(t, runners))]
    if found:
        shown = "; ".join(f"{key}: {why}" for key, why in found[:_SHOWN])
        rest = f"; and {len(found) - _SHOWN} more" if found[_SHOWN:] else ""
        raise PipelineError(f"{where} cannot run {len(found)} of the tests: {shown}{rest}")


def on_fleet(
    tests: Iterable[PlannedTest], runners: Iterable[Runner]
) -> tuple[list[PlannedTest], Mapping[str, int]]:
    """The tests on devices that some runner has, and how many are left out by device."""
    kinds = {kind for r in runners for kind in r.kinds or ()}
    kept, left_out = [], dict[str, int]()
    for test in tests:
        if (device := test.identity.device) in kinds:
            kept.append(test)
        else:
            left_out[device] = left_out.get(device, 0) + 1
    return kept, left_out
