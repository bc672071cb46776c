# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`try`: write the test that nobody wrote, run it, and answer."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from bringup.harness.options.device_names import EVERY_DEVICE
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.input_text import read_specs
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.naming import entry_of
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome, Stage, TestRecord
from bringup.harness.records.variable_names import FOLLOW_VARIABLE
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.writable import encoded
from bringup.pipeline import commands
from bringup.pipeline import devices as machine
from bringup.pipeline.messages import Speaker
from bringup.pipeline.planning.collect import collect_tests
from bringup.pipeline.planning.selection import LOOKING_AROUND, SOON_S
from bringup.pipeline.run_names import name_of_now
from bringup.pipeline.trying.answer import of_models, of_ops
from bringup.pipeline.trying.options import BOTH, OP_BY_OP, TryOptions
from bringup.pipeline.trying.predicting import told
from bringup.pipeline.trying.python_name import refuse_absent
from bringup.pipeline.trying.test_file import FLOWS, is_name, understood, write_test

TRIED = Path("results") / "tried"
_SPLITS = (Outcome.FAILED, Outcome.INCORRECT, Outcome.CRASHED, Outcome.TIMEOUT)
"""After which the ops are asked which of them is to blame."""
_NO_OPS = (Stage.LOAD, Stage.GOLDEN, Stage.EXPORT)
"""Where a failure is the model's own: there is no graph to take apart."""


def try_model(options: TryOptions, say: Speaker) -> ExitCode:
    """Try models whole, and those that fail op by op as well.

    Raises:
        PipelineError: there is no such model or device.
        UsageError: an input cannot be read.
        RecordError: the disk is full or gone.
    """
    read_specs(options.inputs)  # what cannot be read is said before anything is run
    given = understood(options.model, options.inputs)
    if is_name(options.model):
        refuse_absent(options.model, Path.cwd())
    folder = TRIED / f"{given.name}-{given.digest}"
    test = write_test(given, folder)
    every = EVERY_DEVICE in options.devices
    noun = "model" if len(given.models) == 1 else "models"
    known = _look_around(options, test, f"{len(given.models)} {noun}; the test is {test}", say)
    devices = options.devices or _default(known)
    if every:
        devices = tuple(d.name for d in known if d.state is not DeviceState.MISSING)
        for device in (d for d in known if d.state is DeviceState.MISSING):
            say(f"left out: {device.name}: {device.reason}")
    # beside the folder: what a folder of tests holds is what a kept collection was made of
    listing = write_atomically(folder.with_suffix(".devices.json"), encoded(known))
    if options.predict:
        with say.waiting_for("the model to be exported"):
            return told(test, [d for d in known if d.name in devices], say)
    say(f"tried on {', '.join(devices)}")
    name = name_of_now(f"try-{given.name}", datetime.now(UTC))
    run_dir = options.output or Path("results") / name
    apart = FLOWS[given.framework]
    flow = apart if options.flow == OP_BY_OP else "full"
    code = commands.run(
        options.of_run(test, [test.as_posix()], flow, run_dir, devices, listing), say
    )
    _, records = read_merged(run_dir)
    lines = [*of_models(records)]
    walked = run_dir if flow == apart else None
    going_on = options.flow == BOTH and code is not ExitCode.INTERRUPTED
    failed = to_take_apart(latest(records)) if going_on else []
    if failed and every:
        first = failed[0].identity.device
        lines.append(f"which op is to blame, --device {first} --flow {OP_BY_OP} says")
    elif failed:
        walked = run_dir.with_name(f"{run_dir.name}-ops")
        say(f"{len(failed)} failed; which op is to blame?")
        ids = sorted({_taken_apart(r, apart) for r in failed})
        on = tuple(dict.fromkeys(r.identity.device for r in failed))
        if any(r.outcome is Outcome.INCORRECT for r in failed):  # or did an op inherit it?
            os.environ.setdefault(FOLLOW_VARIABLE, "always")
        commands.run(options.of_run(test, ids, apart, walked, on, listing), say)
    for line in (*lines, *(of_ops(walked) if walked else ())):
        say(line)
    return code


def _look_around(
    options: TryOptions, test: Path, begins: str, say: Speaker
) -> tuple[ListedDevice, ...]:
    """The devices, of those that nobody named no more than are needed; `begins` is said as soon as
    no name was refused.

    The test is collected meanwhile: the run finds that it was.

    Raises:
        PipelineError: there is no such device, or pytest cannot collect.
    """
    named = options.devices if EVERY_DEVICE not in options.devices else ()
    first = not options.devices
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(machine.probe, Path.cwd(), named, first=first)
        if wait([asked], timeout=SOON_S).done:
            asked.result()
        say(begins)
        with say.waiting_for("the devices to answer" if options.predict else LOOKING_AROUND):
            if not options.predict:
                collect_tests(test.parent.as_posix(), Path.cwd(), cached=True)
            return asked.result()


def _default(known: Sequence[ListedDevice]) -> tuple[str, ...]:
    """The first device that executes here, and the first that is only compiled for."""
    wanted = (DeviceState.EXECUTES, DeviceState.COMPILES)
    first = (next((d.name for d in known if d.state is state), "") for state in wanted)
    return tuple(name for name in first if name)


def _taken_apart(record: TestRecord, flow: str) -> str:
    """The entry of the test that takes the same model apart."""
    entry = entry_of(record.nodeid, record.identity.device)
    return entry.replace("[full-", f"[{flow}-")


def _is_the_models_own(record: TestRecord) -> bool:
    failure = record.failure
    if failure is None:
        return False
    before = failure.stage is None and record.outcome is Outcome.FAILED  # no stage was begun
    return before or failure.stage in _NO_OPS


def to_take_apart(records: Sequence[TestRecord]) -> list[TestRecord]:
    """Those that failed in a way that their ops may explain."""
    return [r for r in records if r.outcome in _SPLITS and not _is_the_models_own(r)]
