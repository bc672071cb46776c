# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How this process's threads share processors and interpreter with each other and with its hosts.

An op-by-op run is as fast as its hosts; the threads that feed them and record what they did have
the time an op compiles.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

_SWITCH_S = 0.0005


def give_way() -> None:
    """Have this thread wait for a free processor when it is woken, and interrupt no host.

    It keeps its share of the processors (SCHED_BATCH, sched(7)), and what it starts is as patient;
    where a container forbids it, things are a little slower.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@contextlib.contextmanager
def prompt_threads() -> Iterator[None]:
    """Let a thread whose op has ended have the interpreter within half a millisecond, not five."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
