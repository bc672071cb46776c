# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The part of a supervised session that lives in each xdist worker.

It keeps only planned tests, gives each its environment and its deadline, and leaves a stack
behind whichever way the process dies. The deadline is faulthandler's own timer: a C thread, so
a test that never releases the GIL is ended like any other.
"""

import faulthandler
import os
import resource
import signal
import time
import traceback
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bringup.harness.deadline import Timer
from bringup.harness.records.run_dir import read_plan
from bringup.harness.records.schema import PlannedTest
from bringup.harness.records.variable_names import DEADLINE_VARIABLE, RUN_DIR_VARIABLE
from bringup.harness.session import current
from bringup.pipeline.lifeline import die_with_parent
from bringup.pipeline.planning.plan import deadline
from bringup.pipeline.running.worker_death import INTERNAL_ERROR_CODE, stack_path

COLLECTION_DEADLINE_S = 600.0
"""Importing the test files may take a worker this long."""
REST_SUFFIX = " (rest)"

PARENT_INPUT = "bringup_parent"
NOTHING_LEFT_INPUT = "bringup_nothing_left"


class TestEndedProcessError(Exception):
    """The test asked to end the whole session (KeyboardInterrupt, `pytest.exit`)."""

    __test__ = False


class Rest(pytest.Item):
    """Does nothing; see :mod:`bringup.pipeline.running.xdist_scheduling` for why every test has
    one.
    """

    def runtest(self) -> None:
        """Nothing."""


class WorkerSide:
    """Hooks of one worker."""

    def __init__(self, plan: str, timeout: float | None, workerinput: dict[str, Any]) -> None:
        die_with_parent(workerinput[PARENT_INPUT], signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # gigabytes, and nobody reads them
        self._tests: dict[str, PlannedTest] = {t.nodeid: t for t in read_plan(Path(plan)).tests}
        self._timeout = timeout
        self._nothing_left = workerinput[NOTHING_LEFT_INPUT]
        self._stack = stack_path(Path(plan).parent, workerinput["workerid"], os.getpid())
        self._stack.parent.mkdir(exist_ok=True)
        self._file = self._stack.open("ab", buffering=0)
        faulthandler.enable(self._file)
        self._arm(COLLECTION_DEADLINE_S)

    def pytest_ignore_collect(self) -> bool | None:
        """Skip the imports when this worker only replaces one that ran the last test."""
        return True if self._nothing_left else None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep what is planned, each followed by its rest."""
        planned = [i for i in items if i.nodeid in self._tests]
        dropped = [i for i in items if i.nodeid not in self._tests]
        items[:] = [each for item in planned for each in (item, _rest(item))]
        config.hook.pytest_deselected(items=dropped)

    def pytest_collection_finish(self) -> None:
        """Collecting is over."""
        faulthandler.cancel_dump_traceback_later()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Give the test its environment and its deadline, set-up and tear-down included."""
        test = self._tests.get(item.nodeid)
        seconds = deadline(test.estimate_s if test else None, self._timeout)
        variables: dict[str, str | None] = {DEADLINE_VARIABLE: str(time.time() + seconds)}
        if test is None:  # a rest is not part of the run, so nobody shall record it
            variables[RUN_DIR_VARIABLE] = None
        else:
            variables |= test.environment
        current().get(Timer).arm(self._arm, seconds)
        try:
            with _environment(variables):
                return (yield)
        except Exception:
            self._die_of_internal_error()
        finally:
            faulthandler.cancel_dump_traceback_later()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Keep the session alive."""
        with _session_survives():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Keep the session alive."""
        with _session_survives():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Keep the session alive."""
        with _session_survives():
            return (yield)

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind after a good end."""
        faulthandler.cancel_dump_traceback_later()
        faulthandler.disable()
        self._file.close()
        self._stack.unlink(missing_ok=True)

    def _die_of_internal_error(self) -> NoReturn:
        """A plugin broke around a test: xdist would give up the session, so give up the worker."""
        self._file.write(traceback.format_exc().encode("utf-8", "replace"))
        os._exit(INTERNAL_ERROR_CODE)

    def _arm(self, seconds: float) -> None:
        os.ftruncate(self._file.fileno(), 0)
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)


def _rest(item: pytest.Item) -> pytest.Item:
    assert item.parent is not None
    rest: pytest.Item = Rest.from_parent(item.parent, name=item.name + REST_SUFFIX)
    return rest


@contextmanager
def _environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables, or unset those that are None, for a while."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _session_survives() -> Iterator[None]:
    """One test must not end the session: pytest lets these two through on purpose."""
    try:
        yield
    except (KeyboardInterrupt, pytest.exit.Exception) as error:
        raise TestEndedProcessError(
            f"the test raised {type(error).__name__} to end the session"
        ) from error
