# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Who owns what outlives a test: device hosts, op workers, the open run, the test that runs.

    class Workers:
        def close(self) -> None: ...

    workers = current().get(Workers)

makes the session's one `Workers` at the first call. A session closes what it holds when it ends;
what was made last goes first, since it may use what was made before it.

pytest's session is one of ours: the plugin begins it and ends it. Whoever uses the harness without
pytest has the process's own session, which ends with the process. A session within another holds
things of its own: a search that loads a model by its test, by pytest, leaves the outer one's run
and devices alone.
"""

import atexit
import contextlib
import os
import threading
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Session:
    """Holds at most one object of each class; a context manager, which ends it."""

    def __init__(self, outer: "Session | None" = None) -> None:
        """`outer` is the session that this one is within."""
        self._outer = outer
        self._process = os.getpid()
        self._held: dict[type, Any] = {}
        self._ending = contextlib.ExitStack()
        # Re-entrant: an object may ask for another while it is made. Held for the making, so that
        # two threads (a model's walk, and the one that records its ops) start nothing twice.
        self._making = threading.RLock()

    def get(self, kind: type[T]) -> T:
        """The session's one object of a class, made without arguments at the first call."""
        with self._making:
            if kind not in self._held:
                self.hold(kind())
            found: T = self._held[kind]
            return found

    def find(self, kind: type[T]) -> T | None:
        """The object of a class that this session holds, or the nearest one around it."""
        found: T | None = self._held.get(kind)
        return found if found is not None or self._outer is None else self._outer.find(kind)

    def hold(self, thing: T) -> T:
        """Own a thing from now on; it is closed at the end, if it can be."""
        with self._making:
            self._held[type(thing)] = thing
            self._ending.callback(self._let_go, thing)
            atexit.unregister(self.end)  # once, and before what was registered earlier
            atexit.register(self.end)
        return thing

    def _let_go(self, thing: object) -> None:
        if self._held.get(type(thing)) is thing:
            del self._held[type(thing)]  # first: nobody is to get one that is being closed
        close = getattr(thing, "close", None)
        if close is not None:
            close()

    def end(self) -> None:
        """Close all that is held; sessions that were begun within this one end before it.

        In a process that was forked off it does nothing: what is held is the parent's.
        """
        if self._process != os.getpid():
            return
        while self in _within and _within[-1] is not self:
            _within[-1].end()
        # Not under the lock: closing waits for threads, and those may ask for something still. What
        # is asked for meanwhile is closed here too: this session is still the current one, and the
        # stack is emptied until nothing is on it.
        try:
            self._ending.close()
        finally:
            atexit.unregister(self.end)
            if self._outer is not None and self in _within:
                _within.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


_within = [Session()]
"""The process's own session, and those begun within; the last one is current.

The one mutable name of the harness: from here everything that a process holds can be reached, and
nothing else is held elsewhere.
"""


def current() -> Session:
    """The session that was begun last, or the process's own."""
    return _within[-1]


def begin() -> Session:
    """Begin a session within the current one; it is current until it ends."""
    _within.append(Session(current()))
    return current()


def _begin_anew() -> None:
    """A child starts with nothing. Its parent's sessions stay where they are, unused: letting go of
    them would run finalizers, which remove the parent's folders."""
    _within.append(Session())


os.register_at_fork(after_in_child=_begin_anew)
