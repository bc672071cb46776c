# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which of XLA's passes makes a program's numbers wrong: it is compiled with each left out.

The passes that changed the program are the names in a dump of every pass; the others cannot be to
blame. A pass without which the numbers are right is. Compiling an op takes some 30 ms, and some
two dozen passes change one.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import Ended, OpJob, OpRun
from bringup.harness.devices.kind import DeviceKind
from bringup.harness.storage.scratch import Scratch

_LEFT_OUT = "xla_disable_hlo_passes"
_PASS = re.compile(
    r"module_\d+\..*\.\d{4}\.(?P<pipeline>[^.]+)"
    r"\.after_(?P<name>[^.]+)(?:\.before_[^.]+)?\.txt"
)
_START = "pipeline-start"
_MOST = 200
"""Passes that are tried."""


@dataclass(frozen=True)
class Blamed:
    """What came of the search."""

    passes: tuple[str, ...]
    """Each of them alone makes the numbers wrong: without it they are right."""
    tried: int
    """Passes that changed the program and were left out."""
    left: int = 0
    """Passes that there was no time for."""

    def told(self) -> str:
        """A sentence."""
        if self.left and not self.passes:
            return (
                f"None of {self.tried} passes that changed the program alone is to blame; there was"
                f" no time for {self.left} more."
            )
        if not self.tried:
            return "No pass of the compiler changed the program."
        if not self.passes:
            return f"None of the {self.tried} passes that changed the program alone is to blame."
        names = ", ".join(self.passes)
        return (
            f"The pass to blame is {names}: without it the numbers are right ({self.tried} tried)."
        )


def can_blame(kind: DeviceKind) -> bool:
    """Do a device's options reach XLA's passes?"""
    return kind.compiler == "xla"


def blame(
    device: Device,
    job: OpJob,
    is_wrong: Callable[[OpRun], bool],
    deadline_s: float,
    seconds: float,
) -> Blamed:
    """Find the pass.

    Args:
        device: Executes, and `can_blame` holds of its kind.
        job: A program whose numbers are wrong there.
        is_wrong: The judge of a run that came to its end.
        deadline_s: Of each run.
        seconds: For the whole search; what is not tried by then is counted as `left`.
    """
    end = time.monotonic() + seconds
    found, tried = [], 0
    names = _passes(device, job, deadline_s)
    for name in names:
        if time.monotonic() > end:
            break
        tried += 1
        if _cures(device, job, name, is_wrong, deadline_s):
            found.append(name)
    return Blamed(tuple(found), tried, len(names) - tried)


def _passes(device: Device, job: OpJob, deadline_s: float) -> list[str]:
    """The passes that changed the program, in the order in which they first did."""
    with Scratch("passes") as scratch:
        dump = {"xla_dump_to": str(scratch.path), "xla_dump_hlo_pass_re": ".*"}
        device.run_op(_with(job, dump), deadline_s)
        return names_in(scratch.path)


def names_in(folder: Path) -> list[str]:
    """Names of passes among dumped files, `module_0001.main.0003.PIPELINE.after_NAME.before_...`.

    A pipeline that is a pass of another one is none: what it did, one of its own passes did.
    """
    named = (_PASS.fullmatch(path.name) for path in sorted(folder.iterdir()))
    matches = [match for match in named if match]
    pipelines = {match["pipeline"] for match in matches} | {_START}
    names = dict.fromkeys(match["name"] for match in matches)
    return [name for name in names if name not in pipelines][:_MOST]


def _cures(
    device: Device, job: OpJob, name: str, is_wrong: Callable[[OpRun], bool], deadline_s: float
) -> bool:
    run = device.run_op(_with(job, {_LEFT_OUT: name}), deadline_s)
    return run.ended is Ended.DONE and run.outputs is not None and not is_wrong(run)


def _with(job: OpJob, options: dict[str, str]) -> OpJob:
    return replace(job, options={**job.options, **options})
