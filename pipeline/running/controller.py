# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The part of a supervised session that lives in the xdist controller.

It hands out the tests and, as the workers' parent, is the one process that learns how a worker
died; so it writes the terminal outcome of the test that died with it.
"""

import contextlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bringup.harness.errors import RecordError
from bringup.harness.preloaded.process import PreloadedPython
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.provenance import collect
from bringup.harness.records.run_dir import read_plan
from bringup.harness.records.schema import Artifact, PlannedTest, TestStopped
from bringup.harness.records.variable_names import PARENT_VARIABLE
from bringup.pipeline.lifeline import die_with_parent
from bringup.pipeline.planning.plan import deadline
from bringup.pipeline.running.board_watch import BoardWatch
from bringup.pipeline.running.forked_gateways import ForkedGateways
from bringup.pipeline.running.leases import Leases
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.memory import MemoryKills
from bringup.pipeline.running.worker import (
    NOTHING_LEFT_INPUT,
    PARENT_INPUT,
    REST_SUFFIX,
)
from bringup.pipeline.running.worker_death import Death, judge, stack_path, stacks_path, stopped
from bringup.pipeline.running.xdist_scheduling import PlanScheduling, Room

_LINK_GRACE_S = 5.0
"""A worker whose channel closed is dead, or is given this long to be."""
_USELESS_DEATHS = 5
"""So many workers in a row may die without having run a test before the session gives up."""


class ControllerSide:
    """Hooks of the controller."""

    def __init__(
        self, plan: str, timeout: float | None, room: Room, preloaded: str | None, holder: str = ""
    ) -> None:
        """`preloaded` is what workers are forked off, as it was handed over; `holder` is whom tests
        are leased for, of a run that several share."""
        if PARENT_VARIABLE in os.environ:
            die_with_parent(int(os.environ[PARENT_VARIABLE]), signal.SIGKILL)
        loaded = read_plan(Path(plan))
        self._run_dir = Path(plan).parent
        self._timeout = timeout
        self._ledger = Ledger(self._run_dir, loaded.tests, loaded.attempt)
        self._ledger.read()
        self._attempt = loaded.attempt
        self._journal = JournalWriter(self._run_dir, loaded.run_id, collect(), loaded.attempt)
        claim = partial(Leases(self._run_dir, holder).take, turn=loaded.attempt) if holder else None
        self._scheduling = PlanScheduling(self._ledger.waiting, room, claim)
        self._watches = room.slots is not None
        """Do more processes run tests than may compute at a time?"""
        self._watch: BoardWatch | None = None
        self._memory = MemoryKills()
        self._second_try: set[str] = set()
        self._out_of_memory: dict[str, TestStopped] = {}
        """By key, the first ends of tests that are run again, alone; see `_runs_alone`."""
        self._useless_deaths = 0
        self._gateways = ForkedGateways(PreloadedPython.inherited(preloaded)) if preloaded else None

    def pytest_xdist_make_scheduler(self, config: pytest.Config) -> PlanScheduling:
        """Ours."""
        if self._watches:
            dsession = config.pluginmanager.get_plugin("dsession")
            self._watch = BoardWatch(dsession, self._look_at_boards)
        return self._scheduling

    def _look_at_boards(self) -> None:
        """Let others start while some wait for a board."""
        if not self._scheduling.collection_is_completed:
            return
        with contextlib.suppress(RecordError):  # the next look may find the journals well
            self._ledger.read()
        self._scheduling.boards_seen(self._ledger.awaiting, self._ledger.off_boards)

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a new worker what it cannot know."""
        node.workerinput[PARENT_INPUT] = self._parent_of(node)
        node.workerinput[NOTHING_LEFT_INPUT] = not self._scheduling.anything_left

    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """A worker is gone: judge the test it was running."""
        if error is None:
            return
        returncode = _returncode(node.gateway._io.popen)
        stack = self._take_stack(node)
        given = self._scheduling.running_on(node)
        self._ledger.read()
        if given is None or self._returned(node, given[0]):
            print(f"worker {node.gateway.id} died between tests ({returncode})\n{stack}")
            self._count_useless_death()
            return
        self._useless_deaths = 0
        test, elapsed = given
        death = Death(
            returncode=returncode,
            elapsed_s=elapsed,
            deadline_s=deadline(test.estimate_s, self._timeout),
            stack=stack,
            below=self._take_below(node),
            memory_kills=self._memory.recent(),
        )
        if not self._runs_alone(node, test, death):
            self._stop(test, death)

    def pytest_sessionfinish(self) -> None:
        """Say of what was run again how it had ended before."""
        for event in self._out_of_memory.values():
            self._append(event)
        self._out_of_memory.clear()

    def pytest_unconfigure(self) -> None:
        """No worker is left."""
        if self._watch is not None:
            self._watch.close()
        if self._gateways is not None:
            self._gateways.close()

    def _parent_of(self, node: Any) -> int:
        """With whom a worker is to die: its parent, whichever process that is, dies with us."""
        forked = self._gateways and self._gateways.parent_of(node.gateway._io.popen)
        return forked or os.getpid()

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Keep rests out of pytest's own counts."""
        return ("", "", "") if report.nodeid.endswith(REST_SUFFIX) else None

    def _returned(self, node: Any, test: PlannedTest) -> bool:
        """Give the test to another worker when this one died before it; once only."""
        key = test.identity.key
        if key in self._ledger.started or key in self._second_try:
            return False
        self._second_try.add(key)
        self._scheduling.give_back(node)
        return True

    def _count_useless_death(self) -> None:
        self._useless_deaths += 1
        if self._useless_deaths >= _USELESS_DEATHS:
            pytest.exit(f"{_USELESS_DEATHS} workers in a row died without running a test", 3)

    def _stop(self, test: PlannedTest, death: Death) -> None:
        key = test.identity.key
        if key in self._ledger.outcomes:
            return  # it had ended, and the worker died before it could say so
        outcome, failure = judge(death, self._keep(death.stack, death.below))
        if (first := self._out_of_memory.pop(key, None)) is not None:
            self._append(first)
        self._append(stopped(test, outcome, failure, self._attempt))

    def _runs_alone(self, node: Any, test: PlannedTest, death: Death) -> bool:
        """Once more, alone, where the kernel killed a test beside others: its memory was guessed.

        That it was killed is not written before it has its outcome: until then the journals say
        that it runs, as it will, and nobody takes its first end for its last.
        """
        key = test.identity.key
        killed = death.memory_kills > 0 and death.returncode == -signal.SIGKILL
        if not killed or key in self._out_of_memory or key in self._ledger.outcomes:
            return False
        if not self._scheduling.again_alone(node):
            return False
        outcome, failure = judge(death, self._keep(death.stack, death.below))
        self._out_of_memory[key] = stopped(test, outcome, failure, self._attempt)
        print(f"{test.nodeid} is run once more, alone: {failure.message}")
        return True

    def _append(self, event: TestStopped) -> None:
        try:
            self._journal.append(event)
        except RecordError as error:  # the supervisor gives every test without an outcome one
            print(error, file=sys.stderr)

    def _take_stack(self, node: Any) -> str:
        return _taken(stack_path(self._run_dir, node.gateway.id, node.gateway._io.popen.pid))

    def _take_below(self, node: Any) -> str:
        return _taken(stacks_path(self._run_dir, node.gateway._io.popen.pid))

    def _keep(self, stack: str, below: str) -> Artifact | None:
        kept = "\n\n".join(filter(None, (stack, below)))
        if not kept:
            return None
        try:
            return ArtifactStore(self._run_dir).put(kept, level="stack")
        except RecordError:
            return None


def _taken(path: Path) -> str:
    """What a file says, which is not needed any more; empty where there is none."""
    try:
        text = path.read_text("utf-8", "replace")
        path.unlink()
    except OSError:
        return ""
    return text


def _returncode(popen: "subprocess.Popen[bytes]") -> int | None:
    """The exit code of a worker; None when its channel broke and it had to be killed."""
    try:
        return popen.wait(_LINK_GRACE_S)
    except subprocess.TimeoutExpired:
        popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in a driver
            popen.wait(_LINK_GRACE_S)
        return None
