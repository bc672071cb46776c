# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One pytest session as a child: its command, its environment, its log, its end."""

import math
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.records.naming import SIZES
from bringup.harness.records.schema import PlannedTest
from bringup.harness.records.variable_names import (
    ATTEMPT_VARIABLE,
    NO_CACHE_VARIABLE,
    RECHECK_VARIABLE,
    RUN_DIR_VARIABLE,
    RUN_ID_VARIABLE,
    THREADS_VARIABLE,
)
from bringup.pipeline.early_python import EarlyPython, early_python
from bringup.pipeline.planning.collect import harness_plugin
from bringup.pipeline.planning.plan import files_of
from bringup.pipeline.running import memory
from bringup.pipeline.running.plugin_options import (
    CAPACITY_OPTION,
    HOLDER_OPTION,
    MEMORY_OPTION,
    PLAN_OPTION,
    SLOTS_OPTION,
    TIMEOUT_OPTION,
    UNTIL_OPTION,
)

LOG_NAME = "pytest.log"

_BY_OPTIONS = (RECHECK_VARIABLE, NO_CACHE_VARIABLE)
"""Only what the options came to reaches the tests: a plan's may be others than the environment's.
"""


@dataclass(frozen=True)
class Settings:
    """How a plan is to be run."""

    run_dir: Path
    run_id: str
    plan: Path
    root: Path
    """Where pytest starts; ids are relative to it."""
    workers: int
    """Tests that compute at a time."""
    timeout_s: float | None = None
    capacities: Mapping[str, int] | None = None
    """The most tests a device runs at a time; absent: any number."""
    memory: int | None = None
    """Bytes that all tests together may need at a time; None: nobody counts."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Set for the whole session."""
    attempt: int = 1
    """How often the run has been taken up."""
    lock: int | None = None
    """A descriptor that holds the run directory as long as anybody has it."""
    address: str = ""
    """Where the engine is, of one that is elsewhere."""
    until: float | None = None
    """When the run's time is over: no test starts later. On `time.monotonic`, which all processes
    of a machine share. None: it has as long as it takes."""
    holder: str = ""
    """Whom tests are leased for in a directory that others share; empty: nobody shares it."""
    processes: int = 0
    """That run tests, of which some wait for a board; 0: one for each that computes."""

    @property
    def left_s(self) -> float:
        """Seconds until the run's time is over; infinite without a budget."""
        return math.inf if self.until is None else self.until - time.monotonic()

    @property
    def log(self) -> Path:
        """What pytest says; machines that share a directory cannot append to one file."""
        return self.run_dir / (f"pytest-{self.holder}.log" if self.holder else LOG_NAME)


def default_workers(tests: int, cores: int | None = None, free_bytes: int | None = None) -> int:
    """As many workers as there are cores, tests, and portions of memory."""
    if cores is None:
        cores = len(os.sched_getaffinity(0))
    if free_bytes is None:
        free_bytes = memory.available()
    return max(1, min(cores, tests, free_bytes // memory.MEMORY_PER_WORKER))


def command(settings: Settings, tests: Sequence[PlannedTest]) -> list[str]:
    """What follows `python` to run the plan, collecting no more files than it needs."""
    devices = sorted({t.identity.device for t in tests})
    capacities = settings.capacities or {}
    return [
        "-m",
        "pytest",
        f"--rootdir={settings.root}",
        *("-p", "xdist"),
        *("-p", "bringup.pipeline.running.pytest_plugin"),
        *harness_plugin(),
        *("-p", "no:faulthandler"),  # it cancels our deadline when a test raises
        *("-p", "no:cacheprovider"),
        "--continue-on-collection-errors",
        "--maxfail=0",
        # workers come with their imports, made before pytest was there to rewrite asserts
        *("-W", "ignore:Module already imported so cannot:pytest.PytestAssertRewriteWarning"),
        "--dist=load",
        f"--numprocesses={max(settings.processes, settings.workers)}",
        # every test may cost its worker once, and some workers may die for nothing
        f"--max-worker-restart={len(tests) + 100}",
        f"{PLAN_OPTION}={settings.plan}",
        *([f"{TIMEOUT_OPTION}={settings.timeout_s}"] if settings.timeout_s else []),
        *([] if settings.until is None else [f"{UNTIL_OPTION}={settings.until}"]),
        *([f"{HOLDER_OPTION}={settings.holder}"] if settings.holder else []),
        *(f"{CAPACITY_OPTION}={name}={n}" for name, n in sorted(capacities.items())),
        *([f"{SLOTS_OPTION}={settings.workers}"] if settings.processes > settings.workers else []),
        *([f"{MEMORY_OPTION}={settings.memory}"] if settings.memory else []),
        *(f"--device={name}" for name in devices),
        *(
            f"--size={size}"
            for size in sorted({t.identity.size for t in tests})
            if size != SIZES[0]
        ),
        *files_of(tests),
    ]


def environment(settings: Settings) -> dict[str, str]:
    """The session's environment; workers share the cores instead of each taking all."""
    cores = len(os.sched_getaffinity(0))
    return {
        THREADS_VARIABLE: str(max(1, cores // settings.workers)),
        **{name: text for name, text in os.environ.items() if name not in _BY_OPTIONS},
        **settings.variables,
        RUN_DIR_VARIABLE: str(settings.run_dir),
        RUN_ID_VARIABLE: settings.run_id,
        ATTEMPT_VARIABLE: str(settings.attempt),
    }


class Session:
    """A running pytest session behind its watchdog."""

    def __init__(self, settings: Settings, tests: Sequence[PlannedTest]) -> None:
        self.log = settings.log
        python = early_python() or EarlyPython()
        with self.log.open("ab") as log:
            python.become(
                command(settings, tests),
                settings.root,
                files_of(tests),
                environment(settings),
                log.fileno(),
                settings.lock,
            )
        self._process = python.watchdog

    @property
    def exit_code(self) -> int | None:
        """None while anything of it runs; 128 + n when a signal n ended pytest or its watchdog."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def stop(self, *, now: bool = False) -> None:
        """Ask for the end: politely, or at once."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT if now else signal.SIGTERM)

    def wait(self) -> None:
        """Block until everything of it is gone."""
        self._process.wait()

    def tail(self, lines: int = 15) -> list[str]:
        """The last lines of the log."""
        text = self.log.read_bytes()[-20_000:].decode("utf-8", "replace")
        return text.splitlines()[-lines:]
