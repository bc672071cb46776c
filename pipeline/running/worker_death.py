# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The outcome of a test whose worker died, a pure function of how it died, and how it is written.

What is known is the exit code that the worker left, the stack that `faulthandler` wrote on the
way out, how long the test had run, and whether the kernel had killed for memory meanwhile.
"""

import re
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.records.schema import Artifact, Failure, Outcome, PlannedTest, TestStopped

DEADLINE_GRACE_S = 5.0
"""A worker that did not end itself at its deadline is killed by the supervisor this much later."""

STACKS_LEAD_S = 3.0
"""The stacks of all processes of a test are taken so long before its deadline, or when a third of
it is left."""

INTERNAL_ERROR_CODE = 113
"""A worker exits with this code when pytest or a plugin broke around a test."""

STACK_FOLDER = "stacks"
"""Within a run directory that runs: where workers leave the stacks they die with."""

_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_TIMEOUT_MARK = "Timeout ("
"""`faulthandler.dump_traceback_later` begins with these words, and exits with code 1."""
_FRAME = re.compile(r'^ +File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>.+)$', re.M)


def stack_path(run_dir: Path, worker: str, pid: int) -> Path:
    """Where a worker's `faulthandler` writes; machines that share a run each have a process 42."""
    return run_dir / STACK_FOLDER / f"{worker}-{socket.gethostname()}-{pid}.txt"


def stacks_path(run_dir: Path, pid: int) -> Path:
    """Where the supervisor leaves what a worker, and all that it started, was at shortly before its
    deadline."""
    return run_dir / STACK_FOLDER / f"below-{socket.gethostname()}-{pid}.txt"


@dataclass(frozen=True)
class Death:
    """How a worker ended while it ran a test."""

    returncode: int | None
    """As `subprocess` has it: -n for signal n; None when the process had to be killed by us."""
    elapsed_s: float
    deadline_s: float
    stack: str = ""
    below: str = ""
    """What it and all that it had started were at shortly before its deadline."""
    memory_kills: int = 0
    """Processes the kernel killed for memory since the test started."""


def stopped(test: PlannedTest, outcome: Outcome, failure: Failure, attempt: int) -> TestStopped:
    """The terminal event for a test whose own process writes none, as of now."""
    return TestStopped(
        time=time.time(),
        key=test.identity.key,
        outcome=outcome,
        failure=failure,
        nodeid=test.nodeid,
        entry=test.entry,
        identity=test.identity,
        attempt=attempt,
    )


def judge(death: Death, diagnostic: Artifact | None = None) -> tuple[Outcome, Failure]:
    """The terminal word and the failure of the test the worker was running."""
    outcome, kind, message = _word(death)
    return outcome, Failure(stage=None, kind=kind, message=message, diagnostic=diagnostic)


def _word(death: Death) -> tuple[Outcome, str, str]:
    number = -death.returncode if death.returncode is not None and death.returncode < 0 else 0
    overdue = death.elapsed_s >= death.deadline_s + DEADLINE_GRACE_S
    timer = death.returncode == 1 and _TIMEOUT_MARK in death.stack
    if timer or (number == signal.SIGKILL and overdue):
        where = f"; it was {_top(death.stack)}" if death.stack else ""
        return (
            Outcome.TIMEOUT,
            "TIMEOUT",
            f"still running at its deadline of {death.deadline_s:.0f} s, ended by us{where}",
        )
    if number:
        return _by_signal(number, death)
    if death.returncode is None:
        return (
            Outcome.CRASHED,
            "CRASHED",
            "the test broke the link between the worker and pytest; the worker was ended",
        )
    if death.returncode == INTERNAL_ERROR_CODE:
        last = death.stack.strip().rpartition("\n")[2]
        return Outcome.INFRA, "INFRA", f"pytest itself broke around the test: {last}"
    return (
        Outcome.CRASHED,
        "CRASHED",
        f"the test ended its process with exit code {death.returncode}",
    )


def _by_signal(number: int, death: Death) -> tuple[Outcome, str, str]:
    name = _signal_name(number)
    if number == signal.SIGKILL and death.memory_kills > 0:
        return (
            Outcome.KILLED,
            name,
            "the worker was killed by the kernel: out of memory (the oom_kill counter rose by "
            f"{death.memory_kills} while the test ran)",
        )
    if number in _FROM_OUTSIDE:
        return Outcome.KILLED, name, f"the worker was killed from outside by {name}"
    where = f", {_top(death.stack)}" if death.stack else ""
    return Outcome.CRASHED, name, f"the worker died of {name} while it ran the test{where}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _top(stack: str) -> str:
    """The innermost Python frame of the thread to blame.

    After a signal that is the current thread, which `faulthandler` marks; at a deadline it is
    the main thread, which it writes last.
    """
    current = stack.find("Current thread ")
    main = stack[current if current >= 0 else max(stack.rfind("\nThread "), 0) :]
    frame = _FRAME.search(main)
    if frame is None:
        return "outside Python code"
    file = frame["file"].rpartition("/")[2]
    return f"in {frame['function']} at {file}:{frame['line']}"
