# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops are finished in the order they end, on one thread, and few are under way at a time.

An op worker takes its next op while the one it ended is judged and recorded, and waits for that
before it hands over another: comparing large outputs takes as long as running some ops. So a run
that is killed loses, of each worker, the op that was being recorded and what it had of the next,
and what an op holds (inputs, golden values) is let go of as soon as it can be.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self


class Completions:
    """A context manager; leaving it waits for everything, and raises what went wrong."""

    def __init__(self, limit: int) -> None:
        """At most `limit` things are under way at a time."""
        self._limit = limit
        self._room = threading.Semaphore(limit)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="op-records")
        self._waiting: set[Future[Any]] = set()
        self._worker = threading.local()
        self._error: BaseException | None = None

    def now(self, finish: Callable[[], None]) -> None:
        """Have something done on the recording thread, soon; waits while there is no room.

        Raises what an earlier call raised.
        """
        self._take_room()
        self._thread.submit(self._run, finish)

    def when_done(self, future: "Future[Any]", finish: Callable[[], None]) -> None:
        """Have something done on the recording thread when a future is done.

        A thread that completes futures runs ahead of the records by one: as it completes one, it
        waits for what the one before it led to. Raises what an earlier call raised.
        """
        self._take_room()
        self._waiting.add(future)

        def ended(_: "Future[Any]") -> None:
            self._waiting.discard(future)
            try:
                handed = self._thread.submit(self._run, finish)
            except RuntimeError:  # nobody waits for it any more
                return
            before: Future[None] | None = getattr(self._worker, "handed", None)
            self._worker.handed = handed
            if before is not None:
                before.exception()

        future.add_done_callback(ended)

    def _take_room(self) -> None:
        self._room.acquire()
        if self._error is not None:
            raise self._error

    def _run(self, finish: Callable[[], None]) -> None:
        try:
            if self._error is None:
                finish()
        except BaseException as error:
            self._error = error
        finally:
            self._room.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            for _ in range(self._limit):
                self._room.acquire()
        self._thread.shutdown(wait=error is None, cancel_futures=True)
        for future in list(self._waiting):
            future.cancel()
        if error is None and self._error is not None:
            raise self._error
