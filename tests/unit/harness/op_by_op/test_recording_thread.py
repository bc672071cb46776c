# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops are recorded as they end: on one thread, few at a time, close behind their workers."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import pytest

from bringup.harness.op_by_op.recording_thread import RecordingThread


def given(future: Future[None]) -> Callable[[Callable[[Future[None]], None]], Future[None]]:
    """A way to submit what somebody else completes."""

    def submit(done: Callable[[Future[None]], None]) -> Future[None]:
        future.add_done_callback(done)
        return future

    return submit


def test_what_ends_first_is_recorded_first() -> None:
    slow: Future[None] = Future()
    quick: Future[None] = Future()
    recorded: list[str] = []
    with RecordingThread(4, 100) as recording:
        recording.begin().finish_after(given(slow), lambda _: recorded.append("slow"))
        recording.begin().finish_after(given(quick), lambda _: recorded.append("quick"))
        quick.set_result(None)
        while not recorded:
            time.sleep(0.001)
        slow.set_result(None)
    assert recorded == ["quick", "slow"]


def test_an_op_is_on_record_before_its_worker_runs_the_next_and_one_thread_records() -> None:
    recorded: list[int] = []
    threads = set()
    early: list[int] = []
    tasks: queue.SimpleQueue[tuple[int, Future[None]] | None] = queue.SimpleQueue()

    def record(n: int) -> None:
        threads.add(threading.get_ident())
        recorded.append(n)

    def submit(n: int, done: Callable[[Future[None]], None]) -> "Future[None]":
        future: Future[None] = Future()
        future.add_done_callback(done)
        tasks.put((n, future))
        return future

    def work() -> None:
        """Op n may be compiled before n - 1 is on record, but not run."""
        while (task := tasks.get()) is not None:
            n, future = task
            recording.caught_up()
            early.extend([n] if n and n - 1 not in recorded else [])
            future.set_result(None)

    worker = threading.Thread(target=work)
    with RecordingThread(3, 100) as recording:
        worker.start()
        for n in range(200):
            recording.begin().finish_after(partial(submit, n), lambda _, n=n: record(n))
    tasks.put(None)
    worker.join()
    assert recorded == list(range(200)) and len(threads) == 1 and early == []


def test_no_more_than_the_limit_are_under_way() -> None:
    under_way = threading.Semaphore(0)
    futures: list[Future[None]] = [Future() for _ in range(5)]

    def hand_over() -> None:
        with RecordingThread(2, 100) as recording:
            for future in futures:
                recording.begin().finish_after(given(future), lambda _: None)
                under_way.release()

    thread = threading.Thread(target=hand_over)
    thread.start()
    under_way.acquire()
    under_way.acquire()
    assert not under_way.acquire(timeout=0.2)
    futures[0].set_result(None)
    under_way.acquire()
    for future in futures[1:]:
        future.set_result(None)
    thread.join()


def test_no_more_bytes_than_the_limit_are_under_way_unless_one_thing_has_them() -> None:
    begun: list[int] = []
    futures: list[Future[None]] = [Future() for _ in range(4)]

    def hand_over() -> None:
        with RecordingThread(10, 100) as recording:
            for size, future in zip((60, 30, 50, 500), futures, strict=True):
                recording.begin(size).finish_after(given(future), lambda _: None)
                begun.append(size)

    def settles(expected: list[int]) -> bool:
        deadline = time.monotonic() + 10
        while begun != expected and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.1)
        return begun == expected

    thread = threading.Thread(target=hand_over)
    thread.start()
    assert settles([60, 30])
    futures[1].set_result(None)
    assert settles([60, 30])
    futures[0].set_result(None)
    assert settles([60, 30, 50])
    futures[2].set_result(None)
    assert settles([60, 30, 50, 500])
    futures[3].set_result(None)
    thread.join()


def test_what_goes_wrong_is_raised_and_nothing_is_recorded_after_it() -> None:
    recorded = []

    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"), RecordingThread(1, 100) as recording:
        recording.begin().finish(fail)
        recording.begin().finish(lambda: recorded.append("never"))
    assert recorded == []


def test_an_interrupted_walk_waits_for_nobody() -> None:
    queued: Future[None] = Future()
    running: Future[None] = Future()
    running.set_running_or_notify_cancel()
    with pytest.raises(KeyboardInterrupt), RecordingThread(3, 100) as recording:
        recording.begin().finish_after(given(queued), lambda _: None)
        recording.begin().finish_after(given(running), lambda _: None)
        raise KeyboardInterrupt
    assert queued.cancelled()
    running.set_result(None)  # its worker finds nobody to tell
