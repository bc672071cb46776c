# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What every command says to its caller, a shell, nox or a CI job: one meaning for each code."""

import enum
import textwrap

from bringup.harness.errors import DeviceError, FileError, HarnessError, StorageError


class ExitCode(enum.IntEnum):
    """What a command says to its caller; of a run the worst that holds."""

    KEPT = 0
    """Done, and every test or reproducer came to what was expected of it."""
    BROKEN = 1
    """Some test did not do what its list promises, a reproducer ended otherwise, or the doctor
    found what stops the main job."""
    USAGE = 2
    """Wrong options, names, variables, lists or records; nothing was done."""
    INFRASTRUCTURE = 3
    """The machine was to blame, or something was not run."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C or a signal."""


MEANINGS = {
    ExitCode.KEPT: "done; every test did what its list promises, a reproducer ended the same",
    ExitCode.BROKEN: "some test did not; a reproducer ended otherwise; the doctor found what stops "
    "the main job",
    ExitCode.USAGE: "wrong options, names, variables, lists, plans or runs, also absent or damaged "
    "ones; nothing was done, one sentence says why",
    ExitCode.INFRASTRUCTURE: "something that is not the model stopped a test, or it never ran: a "
    "device or file that is not there, memory, a full disk, a session that died, a lost shard",
    ExitCode.INTERRUPTED: "interrupted; what ran is recorded as KILLED, the rest as NOT_RUN",
}
"""The one text on exit codes; it ends every command's help."""


def describe() -> str:
    """The lines on exit codes that end a command's help."""
    lines = [
        textwrap.fill(f"{code:<4d} {meaning}", 96, initial_indent="  ", subsequent_indent=" " * 7)
        for code, meaning in MEANINGS.items()
    ]
    return "\n".join(["exit codes:", *lines])


def code_of(error: HarnessError) -> ExitCode:
    """The code of a command that ends with an error.

    What was asked for is wrong (USAGE), unless the machine is to blame: a device that cannot be
    had, a file that is nowhere, records that cannot be written.
    """
    at_fault = isinstance(error, DeviceError | FileError | StorageError)
    return ExitCode.INFRASTRUCTURE if at_fault else ExitCode.USAGE
