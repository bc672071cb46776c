# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Words for a person, on a stream that may be gone."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bringup.harness.records.variable_names import RUN_DIR_FILE_VARIABLE


@dataclass(frozen=True)
class Speaker:
    """Prints lines; a reader that left does not end the run."""

    stream: TextIO

    def __call__(self, text: str) -> None:
        """Print; control characters, which could drive a terminal, become spaces."""
        lines = (printable(line) for line in text.split("\n"))
        with contextlib.suppress(OSError, ValueError):
            print("\n".join(lines), file=self.stream, flush=True)


def printable(text: str) -> str:
    """One line without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def tell_run(run_dir: Path) -> None:
    """Tell whoever started this, and asked to know, which run can be reported now: a line each."""
    if file := os.environ.get(RUN_DIR_FILE_VARIABLE):
        with Path(file).open("a", encoding="utf-8") as told:
            told.write(f"{run_dir}\n")
