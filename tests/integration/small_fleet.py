# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A project of a few plain test functions, and the real command line run on it.

Every process that comes of it, however it detaches itself, carries a mark in its environment,
so a test can ask whether any is left.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import Outcome, TestRecord
from bringup.pipeline.lists.specs import SHIPPED, ListSpec
from tests.integration import stepping_clock

REPOSITORY = Path(__file__).parents[2]
MARK = "BRINGUP_TEST_MARK"
PRELOADED = "-m bringup.harness.preloaded.server"
ENVIRONMENT = {
    "PYTHONPATH": str(REPOSITORY),
    "TERM": "xterm",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins nobody here asked for cost 0.6 s a process
}
DEVICES = [
    {"name": "cpu", "state": "executes"},
    {"name": "n150", "state": "compiles", "reason": "no card", "capacity": 1},
    {"name": "p150", "state": "missing", "reason": "the plugin is not installed"},
]
HEAD = """\
import ctypes, os, signal, subprocess, sys, threading, time
import pytest
full = pytest.mark.parametrize("flow", ["full-eval"])
"""


class SmallFleet:
    """A project in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mark = uuid.uuid4().hex
        self.output = root / "out"
        self.cgroup: Path | None = None
        """Where the command line moves itself before it starts."""
        self.clock: Path | None = None
        """Holds seconds that the clock of all its processes is off by: `stepping_clock`."""
        (root / "tests" / "models").mkdir(parents=True)
        (root / "tests" / "lists").mkdir()
        (root / "pytest.ini").write_text("[pytest]\n")
        (root / "devices.json").write_text(json.dumps(DEVICES))
        for name in SHIPPED:
            self.write_list(name)

    def file(self, name: str, body: str) -> str:
        """Add a file of tests; its path."""
        path = f"tests/models/{name}.py"
        (self.root / path).write_text(HEAD + body)
        return path

    def write_list(self, name: ListSpec, **entries: list[str]) -> None:
        """Write a list: tests by device."""
        lines = [f"[{d}]\ntests = {json.dumps(tests, indent=2)}\n" for d, tests in entries.items()]
        (self.root / "tests" / "lists" / name.file_name).write_text("\n".join(lines))

    def start(
        self, *arguments: str, output: Path | None = None, stdout: int = subprocess.PIPE
    ) -> "subprocess.Popen[str]":
        """Start the command line."""
        places = ["--output", str(output or self.output), "--devices-from", "devices.json"]
        return self.start_plain(*arguments, *places, stdout=stdout)

    def start_plain(
        self, *arguments: str, stdout: int = subprocess.PIPE
    ) -> "subprocess.Popen[str]":
        """Start the command line with nothing added."""
        module, clock = "bringup.pipeline", {}
        if self.clock is not None:
            module = stepping_clock.__name__
            clock = {stepping_clock.VARIABLE: str(self.clock), "PYTEST_PLUGINS": module}
        command = [sys.executable, "-m", module, *arguments]
        if self.cgroup is not None:
            move = f'echo $$ > {self.cgroup / "cgroup.procs"}; exec "$@"'
            command = ["sh", "-c", move, "sh", *command]
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**os.environ, **ENVIRONMENT, **clock, MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, output: Path | None = None) -> tuple[int, str]:
        """Run the command line; its exit code and what it said."""
        return finish(self.start(*arguments, output=output))

    def records(self, output: Path | None = None) -> list[TestRecord]:
        """What the journals say."""
        return load_journals(output or self.output)[0]

    def outcomes(self, output: Path | None = None) -> Mapping[str, Outcome]:
        """One outcome per key; fails when a test has more than one record."""
        records = self.records(output)
        by_key = {r.identity.key: r.outcome for r in records}
        assert len(by_key) == len(records), "a test has more than one record"
        return by_key

    def processes(self) -> list[psutil.Process]:
        """Every living process that came of this fleet's command lines."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if process.environ().get(MARK) == self.mark:
                    found.append(process)
        return found

    def by_command(self, words: str) -> list[psutil.Process]:
        """Those whose command line contains `words`."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def supervisors(self) -> list[psutil.Process]:
        """The command line itself."""
        return self.by_command("-m bringup.pipeline ")

    def watchdogs(self) -> list[psutil.Process]:
        """The process between it and pytest."""
        return self.by_command("-m bringup.pipeline.running.watchdog")

    def controllers(self) -> list[psutil.Process]:
        """pytest's own process."""
        watching = {p.pid for p in self.watchdogs()}
        return [p for p in self.by_command("-m pytest") if p.pid not in watching]

    def preloaded(self) -> list[psutil.Process]:
        """What forks workers: a child of pytest's own process."""
        controllers = {p.pid for p in self.controllers()}
        return [p for p in self.by_command(PRELOADED) if p.ppid() in controllers]


def finish(process: "subprocess.Popen[str]", timeout_s: float = 60.0) -> tuple[int, str]:
    """Wait for a command line; its exit code and what it said."""
    said, _ = process.communicate(timeout=timeout_s)
    return process.returncode, said


def eventually(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
