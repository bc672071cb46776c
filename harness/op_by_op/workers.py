# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A session's op workers, which serve test after test, and what is known of their devices."""

import os

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.devices.board import Board
from bringup.harness.records.variable_names import OP_WORKERS_VARIABLE, XDIST_WORKERS_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.session import current


class OpWorkers:
    """The pool of one device and one deadline, and which devices execute."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, float], OpPool] = {}
        self._executes: dict[str, bool] = {}

    def pool(self, device: str, deadline_s: float, board: Board | None = None) -> OpPool:
        """Workers for a device; those of another device, or another deadline, are ended first.

        Hosts take memory whether they work or not, and tests come grouped by device. A pool whose
        device is sick is not believed to get well by itself: new workers have it opened again. A
        leased `board` serves one worker.
        """
        pool = self._pools.get((device, deadline_s))
        if pool is None or pool.sick:
            self.close()
            count = 1 if board else workers()
            pool = OpPool(device, count, deadline_s=deadline_s, board=board)
            self._pools[device, deadline_s] = pool
        return pool

    def execute_on(self, device: Device) -> bool:
        """Can a device run here, and not compile only? Found out once: opening takes seconds."""
        if device.name not in self._executes:
            with device.using:
                self._executes[device.name] = device.executes()
                device.end_host()  # its workers are hosts of their own
        return self._executes[device.name]

    def close(self) -> None:
        """End every worker."""
        while self._pools:
            self._pools.popitem()[1].close()


def op_workers() -> OpWorkers:
    """This session's."""
    return current().get(OpWorkers)


def workers() -> int:
    """How many op workers a process has: this one's part of the processors, if nobody says."""
    given: int | None = VARIABLES[OP_WORKERS_VARIABLE].read()
    beside = VARIABLES[XDIST_WORKERS_VARIABLE].read()
    return given or max(1, len(os.sched_getaffinity(0)) // beside)
