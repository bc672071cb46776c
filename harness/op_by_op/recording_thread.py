# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops are finished in the order they end, on one thread, and few are under way at a time.

An op worker compiles its next op while the one it ended is judged and recorded, and has that on
record before it ends another (`caught_up`): comparing large outputs takes as long as compiling
some ops. What is done after that (`Rest`) nobody waits for. So a run that is killed has done at
most one op of each worker for nothing; and what an op holds (inputs, golden values) is let go of as
soon as it can be.
"""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import Any, Self

from bringup.harness.device_host.threads import give_way

Rest = Callable[[], None] | None
"""What is left to do of a thing that is on record, and nobody waits for."""
_Done = Callable[["Future[Any]"], None]


class RecordingThread:
    """A context manager; leaving it waits for everything, and raises what went wrong."""

    def __init__(self, limit: int, byte_limit: int) -> None:
        """At most `limit` things are under way at a time, and together at most `byte_limit`.

        One that is larger than that is under way alone.
        """
        self._limit = limit
        self._byte_limit = byte_limit
        self._changed = threading.Condition()
        """Guards the two counts. The walk waits on it for room, the recording thread gives room."""
        self._under_way = 0
        self._bytes = 0
        # One thread: whatever is done of an op (its judgement, its place in the cache, its events)
        # is done in the order the ops ended, and none of it needs a lock of its own.
        self._thread = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="op-records", initializer=give_way
        )
        self._waiting: set[Future[Any]] = set()
        """What is not done yet, to be cancelled when the walk gives up. Added to by the walk, taken
        from by whoever completes one; a set's own methods are atomic."""
        self._worker = threading.local()
        """Of each op worker's thread, what its last op led to: one does not wait for another."""
        self._error: BaseException | None = None
        """Set by the recording thread alone, and once: after it nothing more is recorded. Whoever
        looks without the lock begins at most one op too many."""

    def begin(self, size: int = 0) -> "Room":
        """Wait until there is room for a thing that holds `size` bytes.

        Raises what went wrong with an earlier one.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(size))
            self._under_way += 1
            self._bytes += size
        if self._error is not None:
            raise self._error
        return Room(self, size)

    def _has_room(self, size: int) -> bool:
        fits = self._bytes + size <= self._byte_limit or not self._under_way
        return self._under_way < self._limit and fits

    def caught_up(self) -> None:
        """Wait, on a thread that completes futures, for what its last one led to."""
        before: Future[None] | None = getattr(self._worker, "handed", None)
        if before is not None and not before.done():
            wait([before])

    def _finish_later(self, room: "Room", finish: Callable[[], Rest]) -> "Future[None]":
        return self._thread.submit(self._run, room, finish)

    def _ended(self, room: "Room", finish: Callable[[], Rest]) -> None:
        # Handed over before the one before it is waited for: the recording thread goes from one to
        # the other without this thread, which may have to wait for the interpreter in between.
        try:
            handed = self._finish_later(room, finish)
        except RuntimeError:  # nobody waits for it any more
            return
        self.caught_up()
        self._worker.handed = handed

    def _wait_for(self, future: "Future[Any]") -> None:
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)

    def _run(self, room: "Room", step: Callable[[], Rest]) -> None:
        rest = None
        try:
            if self._error is None:
                rest = step()
        except BaseException as error:
            self._error = error
        if rest is not None:
            # Queued and not done here: `caught_up` waits for this step's future, which is done when
            # it returns. The thing stays under way until the rest is done, so that leaving the
            # context waits for that too.
            with contextlib.suppress(RuntimeError):  # nobody waits for it any more
                self._thread.submit(self._run, room, rest)
                return
        with self._changed:
            self._under_way -= 1
            self._bytes -= room.size
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # First all that is under way, and only then the thread: once that is shut down, a worker
        # that ends an op cannot hand it over. After an error nobody wants the rest; a step that is
        # being done is not waited for, since it may wait for a worker itself.
        if error is None:
            with self._changed:
                self._changed.wait_for(lambda: not self._under_way)
        self._thread.shutdown(wait=error is None, cancel_futures=True)
        for future in list(self._waiting):
            future.cancel()
        if error is None and self._error is not None:
            raise self._error


class Room:
    """Where one thing is under way; it ends by one of these."""

    def __init__(self, recording: RecordingThread, size: int) -> None:
        self._recording = recording
        self.size = size
        """Bytes."""

    def finish(self, finish: Callable[[], Rest]) -> None:
        """Have something done on the recording thread, soon."""
        self._recording._finish_later(self, finish)

    def finish_after(
        self, submit: Callable[[_Done], "Future[Any]"], finish: Callable[["Future[Any]"], Rest]
    ) -> None:
        """Have something done on the recording thread when a future is done.

        `submit` makes the future, which calls what it is given on the thread that completes it.
        That waits until what the same thread completed before is on record.
        """

        def ended(future: "Future[Any]") -> None:
            self._recording._ended(self, partial(finish, future))

        self._recording._wait_for(submit(ended))
