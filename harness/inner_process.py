# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The command line of a process that only another of ours starts, such as a device host."""

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
