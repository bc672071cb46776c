# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`try --predict`: how far a model will get on each device, asked of the harness; nothing is run.

The harness loads and exports the model in a process of its own, and looks its ops up.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.device_listing import DeviceState, ListedDevice
from bringup.harness.records.predictions import Predicted
from bringup.harness.storage.decoding import decode_json
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.same_end import together

_EXECUTES = {DeviceState.EXECUTES: "executes"}
NOTE = "(by its ops alone; a compiler may refuse together what it takes apart)"


def told(test: Path, devices: Sequence[ListedDevice], say: Speaker) -> ExitCode:
    """Say what is to be expected of a test's models on some devices.

    Raises:
        PipelineError: the models cannot be loaded.
        RecordError: the harness's answer cannot be read.
    """
    for predicted in _asked(test, devices):
        if predicted.ended is not None:
            how = f"{predicted.ended.name.lower().replace('_', ' ')} ({predicted.ended})"
            say(f"{predicted.model}: {how} on every device: {predicted.why}")
        for line in lines(predicted):
            say(line)
    say(NOTE)
    return ExitCode.KEPT


def lines(predicted: Predicted) -> Iterator[str]:
    """A line a device; where nothing is known of the same ops on several, one for all of them."""
    groups = together(predicted.on, lambda one: None if one.known else one.said())
    names = [
        group[0].device + (f" and {len(group) - 1} more devices" if group[1:] else "")
        for group in groups
    ]
    wide = max(map(len, names), default=0)
    for name, group in zip(names, groups, strict=True):
        yield f"{predicted.model} on {name:<{wide}}  {group[0].said()}"


def _asked(test: Path, devices: Sequence[ListedDevice]) -> Iterator[Predicted]:
    on = [f"{one.name}={_EXECUTES.get(one.state, 'compiles')}" for one in devices]
    words = [test.as_posix(), "-k", "full", "--on", *on]
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.predict", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise PipelineError(f"it cannot be predicted: {said or f'exit code {done.returncode}'}")
    for line in done.stdout.splitlines():
        yield decode_json(line, Predicted, test, "a prediction")
