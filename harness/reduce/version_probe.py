# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Run a reproducer some times in the process of another version; one line of JSON for each run.

Started by `version_blame` alone, with the folder of that version first on Python's path.
"""

import contextlib
import importlib.metadata
import os
import sys
from pathlib import Path

import msgspec

from bringup.harness.errors import HarnessError
from bringup.harness.inner_process import words_of_parent
from bringup.harness.records.schema import Outcome


class RunSaid(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one run ended."""

    version: str
    """The version that ran, as its own metadata has it."""
    outcome: Outcome | None = None
    """None: nothing was found out."""
    same: bool = False
    """Did it end with the reproducer's own fingerprint?"""
    why: str = ""


def main() -> int:
    """Run `FD FOLDER DISTRIBUTION TIMES TRUST`; returns the exit code."""
    words = words_of_parent(5)
    pipe, folder, distribution = int(words[0]), Path(words[1]), words[2]
    from bringup.harness.reduce.run_op import compared, reproduce
    from bringup.harness.reproduce.reproducer import read_expected

    version = importlib.metadata.version(distribution)
    for _ in range(int(words[3])):
        try:
            with contextlib.redirect_stdout(sys.stderr):
                expected = read_expected(folder)
                found = reproduce(folder, expected, trust=words[4] == "1", passes=False)
            same, _ = compared(expected, found)
            why = found.failure.message.strip().partition("\n")[0] if found.failure else ""
            said = RunSaid(version, found.outcome, same, why[:300])
        except HarnessError as error:
            said = RunSaid(version, why=str(error)[:300])
        os.write(pipe, msgspec.json.encode(said) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
