# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A session's reference workers: one for each device that is asked what an op computes."""

import threading

from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.session import current


class ReferenceWorkers:
    """One worker of a device, which serves test after test."""

    def __init__(self) -> None:
        self._pools: dict[str, OpPool] = {}
        # A model's walk asks an op's first source ahead of its turn; the thread that judges ops
        # asks the others, if that had no answer. Both may find a worker missing, or one that is
        # sick.
        self._starting = threading.Lock()

    def pool(self, device: str) -> OpPool:
        """The worker of a device; one whose device is sick is ended, and started once more."""
        with self._starting:
            pool = self._pools.get(device)
            if pool is None or pool.sick:
                if pool is not None:
                    pool.close()
                pool = self._pools[device] = OpPool(device, 1)
            return pool

    def close(self) -> None:
        """End every worker."""
        with self._starting:
            while self._pools:
                self._pools.popitem()[1].close()


def reference_worker(device: str) -> OpPool:
    """This session's one worker of a device that is a reference."""
    return current().get(ReferenceWorkers).pool(device)
