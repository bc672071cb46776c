# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops are recorded as they end: on one thread, few at a time, close behind their workers."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from harness.op_by_op.completions import Completions


def test_what_ends_first_is_recorded_first() -> None:
    slow: Future[None] = Future()
    quick: Future[None] = Future()
    recorded: list[str] = []
    with Completions(limit=4) as completions:
        completions.when_done(slow, lambda: recorded.append("slow"))
        completions.when_done(quick, lambda: recorded.append("quick"))
        quick.set_result(None)
        while not recorded:
            time.sleep(0.001)
        slow.set_result(None)
    assert recorded == ["quick", "slow"]


def test_a_worker_is_at_most_one_op_ahead_of_the_records_and_one_thread_records() -> None:
    recorded: list[int] = []
    threads = set()
    late: list[int] = []
    handed_over = threading.Semaphore(0)

    def record(n: int) -> None:
        threads.add(threading.get_ident())
        recorded.append(n)

    def work(n: int) -> None:
        """Op n is begun when n - 2 is on record."""
        late.extend([n] if n > 1 and n - 2 not in recorded else [])
        handed_over.acquire()

    with ThreadPoolExecutor(max_workers=1) as worker, Completions(limit=3) as completions:
        for n in range(200):
            completions.when_done(worker.submit(work, n), lambda n=n: record(n))
            handed_over.release()
    assert recorded == list(range(200)) and len(threads) == 1 and late == []


def test_no_more_than_the_limit_are_under_way() -> None:
    under_way = threading.Semaphore(0)
    futures: list[Future[None]] = [Future() for _ in range(5)]

    def hand_over() -> None:
        with Completions(limit=2) as completions:
            for future in futures:
                completions.when_done(future, lambda: None)
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


def test_what_goes_wrong_is_raised_and_nothing_is_recorded_after_it() -> None:
    recorded = []

    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"), Completions(limit=1) as completions:
        completions.now(fail)
        completions.now(lambda: recorded.append("never"))
    assert recorded == []


def test_an_interrupted_walk_waits_for_nobody() -> None:
    queued: Future[None] = Future()
    running: Future[None] = Future()
    running.set_running_or_notify_cancel()
    with pytest.raises(KeyboardInterrupt), Completions(limit=3) as completions:
        completions.when_done(queued, lambda: None)
        completions.when_done(running, lambda: None)
        raise KeyboardInterrupt
    assert queued.cancelled()
    running.set_result(None)  # its worker finds nobody to tell
