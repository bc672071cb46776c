# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ties between processes that hold even when one of them is killed without warning.

Source: Linux prctl(2), PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER. The parent is compared
*after* the tie is made, because a parent that died before leaves nothing to send the signal.

A SIGINT that reaches a Python before it has a handler of its own is a KeyboardInterrupt somewhere
in its imports, and one in a callback is printed and forgotten: whoever sent it waits for ever.
"""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send `number` to this process when the process `parent` is gone.

    Call from the main thread; the tie is to the thread that started this process.
    """
    _prctl(_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """A process started within gets no SIGINT until it calls `let_interrupts_in`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_interrupts_in() -> None:
    """Get SIGINT, those too that came since this process was started."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
