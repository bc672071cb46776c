# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The word for a test whose worker died."""

import signal

import pytest

from bringup.harness.records.schema import Outcome
from bringup.pipeline.running.worker_death import (
    DEADLINE_GRACE_S,
    INTERNAL_ERROR_CODE,
    Death,
    judge,
)

SEGV_STACK = """Fatal Python error: Segmentation fault

Thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 320 in wait

Current thread 0x00007e (most recent call first):
  File "/repo/tests/models/a/test_a.py", line 19 in test_a
  File "/site-packages/_pytest/python.py", line 166 in pytest_pyfunc_call
"""
TIMEOUT_STACK = """Timeout (0:15:00)!
Thread 0x00007f (most recent call first):
  File "/site-packages/execnet/gateway_base.py", line 534 in read

Thread 0x00007e (most recent call first):
  File "/repo/tests/models/a/test_a.py", line 22 in test_hang
  File "/site-packages/_pytest/python.py", line 166 in pytest_pyfunc_call
"""


def word(returncode: int | None, stack: str = "", **more: float) -> tuple[Outcome, str, str]:
    facts = {"elapsed_s": 1.0, "deadline_s": 900.0, **more}
    outcome, failure = judge(Death(returncode=returncode, stack=stack, **facts))  # type: ignore[arg-type]
    return outcome, failure.kind, failure.message


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"])
def test_a_fatal_signal_is_a_crash_under_its_name(name: str) -> None:
    outcome, kind, message = word(-signal.Signals[name])
    assert (outcome, kind) == (Outcome.CRASHED, name)
    assert message == f"the worker died of {name} while it ran the test"


def test_a_crash_says_where() -> None:
    assert word(-signal.SIGSEGV, SEGV_STACK)[2].endswith("in test_a at test_a.py:19")


def test_an_exit_in_the_middle_of_a_test_is_a_crash() -> None:
    assert word(7) == (Outcome.CRASHED, "CRASHED", "the test ended its process with exit code 7")
    assert word(0)[0] is Outcome.CRASHED
    assert word(1)[0] is Outcome.CRASHED


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_from_outside_is_not_the_models_fault(number: signal.Signals) -> None:
    assert word(-number)[:2] == (Outcome.KILLED, number.name)


def test_the_kernels_kill_for_memory_is_named() -> None:
    outcome, kind, message = word(-signal.SIGKILL, memory_kills=1)
    assert (outcome, kind) == (Outcome.KILLED, "SIGKILL")
    assert "out of memory" in message
    assert "out of memory" not in word(-signal.SIGSEGV, memory_kills=1)[2]


def test_our_timer_is_a_timeout_and_says_where() -> None:
    outcome, kind, message = word(1, TIMEOUT_STACK, elapsed_s=900.2)
    assert (outcome, kind) == (Outcome.TIMEOUT, "TIMEOUT")
    assert "deadline of 900 s" in message and "in test_hang at test_a.py:22" in message


def test_the_supervisors_kill_after_the_grace_is_a_timeout() -> None:
    late = 900 + DEADLINE_GRACE_S
    assert word(-signal.SIGKILL, elapsed_s=late)[0] is Outcome.TIMEOUT
    assert word(-signal.SIGKILL, elapsed_s=late - 1)[0] is Outcome.KILLED
    assert word(-signal.SIGSEGV, elapsed_s=late)[0] is Outcome.CRASHED


def test_a_worker_that_lost_its_link_is_a_crash() -> None:
    outcome, _, message = word(None)
    assert outcome is Outcome.CRASHED and "link" in message


def test_pytests_own_break_down_is_infrastructure() -> None:
    stack = "Traceback (most recent call last):\nRecordError: cannot write the journal"
    outcome, _, message = word(INTERNAL_ERROR_CODE, stack)
    assert outcome is Outcome.INFRA
    assert message.endswith("RecordError: cannot write the journal")


def test_an_unknown_signal_has_a_number() -> None:
    assert word(-63)[1] == "signal 63" or word(-63)[1].startswith("SIG")
