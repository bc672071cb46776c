# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Workers that work side by side, and now and then one of them alone.

An op that ran past its deadline may have been slowed down by its neighbours. Before that is held
against it, it is tried once more while they pause: nobody begins another op until it is through.
"""

import contextlib
import threading
from collections.abc import Iterator


class Pause:
    """Who is at work, and whether somebody wants to be alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = 0
        self._wanted = 0
        self._alone = False

    @property
    def wanted(self) -> bool:
        """Is somebody alone, or waiting to be? Then no op is to be begun before it need be."""
        return self._wanted > 0

    def begin(self) -> None:
        """Go to work beside others; waits while somebody is, or wants to be, alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted)
            self._at_work += 1

    def end(self) -> None:
        """Be done with all work that was begun."""
        with self._changed:
            self._at_work -= 1
            self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Work while nobody else does; the caller is not at work when it asks."""
        with self._changed:
            self._wanted += 1
            self._changed.wait_for(lambda: not self._at_work and not self._alone)
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._wanted -= 1
                self._alone = False
                self._changed.notify_all()
