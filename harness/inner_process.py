# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A process that only another of ours starts: its command line, and how it ended, in words."""

import signal
import sys
from typing import NoReturn


def words_of_parent(least: int, *, number_first: bool = True) -> list[str]:
    """The words such a process was started with.

    Args:
        least: how many there are at least.
        number_first: whether the first is a number, of a descriptor or a process.

    Raises:
        SystemExit: they are none that ours would give.
    """
    words = sys.argv[1:]
    if len(words) < least or (number_first and not words[0].isdecimal()):
        refuse_person()
    return words


def refuse_person() -> NoReturn:
    """Say that nobody is to start this process; exit code 2."""
    print(
        "bringup: a process of this kind is started by bringup alone; see `bringup --help`",
        file=sys.stderr,
    )
    sys.exit(2)


def how_it_ended(code: int) -> str:
    """How a process ended that was not to: a signal, where its exit code is negative, or a code."""
    if code < 0:
        return f"dies of {signal.Signals(-code).name}"
    return f"ends the process with exit code {code}"
