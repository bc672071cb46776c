# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Has the loop of xdist's controller look at the boards now and then.

Who waits for a board, and who is through with one, stands in the journals of the workers, which
outlive them; no worker need say it again, and one that dies leaves nothing behind. The controller's
loop wakes for events of its workers only, so a thread puts one of ours among them, one at a time.

Source: xdist 3.8, `dsession.DSession.loop_once`, which calls its method `worker_EVENT`.
"""

import threading
from collections.abc import Callable
from typing import Any

_BEAT_S = 0.25
_EVENT = "bringup_boards"


class BoardWatch:
    """Calls a function in the controller's own thread a few times a second, until it is closed."""

    def __init__(self, dsession: Any, look: Callable[[], None]) -> None:
        """`dsession` is xdist's plugin of the controller."""
        self._queue, self._look = dsession.queue, look
        self._pending, self._over = False, threading.Event()
        setattr(dsession, f"worker_{_EVENT}", self._now)
        threading.Thread(target=self._beat, daemon=True).start()

    def close(self) -> None:
        """Call it no more."""
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(_BEAT_S):
            if not self._pending:  # a loop that is busy is not flooded
                self._pending = True
                self._queue.put((_EVENT, {}))

    def _now(self) -> None:
        self._pending = False
        if not self._over.is_set():
            self._look()
