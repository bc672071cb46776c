# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""pytest plugin of a supervised session; inert unless `--bringup-plan` is given.

pytest loads it in the xdist controller and in every worker; each gets its own side.
"""

import sys

import pytest

from bringup.pipeline.running.controller import ControllerSide
from bringup.pipeline.running.plugin_options import (
    CAPACITY_OPTION,
    HOLDER_OPTION,
    MEMORY_OPTION,
    PLAN_OPTION,
    PRELOADED_OPTION,
    SLOTS_OPTION,
    TIMEOUT_OPTION,
    UNTIL_OPTION,
)
from bringup.pipeline.running.worker import WorkerSide
from bringup.pipeline.running.xdist_scheduling import Room

_HYPOTHESIS = "hypothesis"


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the supervisor tells the session."""
    group = parser.getgroup("bringup pipeline", "set by `bringup`, not by hand")
    group.addoption(PLAN_OPTION, metavar="FILE", help="run exactly the tests of this plan")
    group.addoption(TIMEOUT_OPTION, type=float, metavar="SECONDS", help="no test runs longer")
    group.addoption(
        UNTIL_OPTION, type=float, metavar="SECONDS", help="no test starts later, by time.monotonic"
    )
    group.addoption(PRELOADED_OPTION, metavar="SOCKET:PID", help="where workers are forked")
    group.addoption(HOLDER_OPTION, default="", metavar="NAME", help="whom tests are leased for")
    group.addoption(
        CAPACITY_OPTION,
        action="append",
        default=[],
        metavar="DEVICE=N",
        help="at most N tests at a time on DEVICE",
    )
    group.addoption(
        SLOTS_OPTION, type=int, metavar="N", help="so many compute while others wait for a board"
    )
    group.addoption(
        MEMORY_OPTION, type=int, metavar="BYTES", help="what all tests may need at a time"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take a side."""
    plan = config.getoption(PLAN_OPTION)
    if not plan:
        return
    timeout = config.getoption(TIMEOUT_OPTION)
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        side: object = WorkerSide(plan, timeout, workerinput)
    else:
        pairs = (c.rpartition("=") for c in config.getoption(CAPACITY_OPTION))
        processes = config.getoption("numprocesses", 0) or 0
        room = Room(
            {device: int(n) for device, _, n in pairs},
            config.getoption(MEMORY_OPTION),
            processes or 1,
            config.getoption(UNTIL_OPTION),
            config.getoption(SLOTS_OPTION),
        )
        preloaded, holder = config.getoption(PRELOADED_OPTION), config.getoption(HOLDER_OPTION)
        side = ControllerSide(plan, timeout, room, preloaded, holder)
    config.pluginmanager.register(side, "bringup-pipeline-side")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let Hypothesis's plugin go where no test has imported Hypothesis.

    It imports all of it to tell that there is nothing to tell, with its asserts rewritten: two
    seconds of processor time for the session and for each of its workers.
    """
    manager = session.config.pluginmanager
    if _HYPOTHESIS not in sys.modules and session.config.getoption(PLAN_OPTION):
        told = [p for n, p in manager.list_name_plugin() if p and n.startswith(_HYPOTHESIS)]
        for plugin in told:
            manager.unregister(plugin)
