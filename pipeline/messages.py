# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Words for a person, on a stream that may be gone."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True)
class Speaker:
    """Prints lines; a reader that left does not end the run."""

    stream: TextIO
    told: list[Path] = field(default_factory=list)
    """The runs that can be reported now; whoever started this may do it."""

    def __call__(self, text: str) -> None:
        """Print; control characters, which could drive a terminal, become spaces."""
        lines = (printable(line) for line in text.split("\n"))
        with contextlib.suppress(OSError, ValueError):
            print("\n".join(lines), file=self.stream, flush=True)


def printable(text: str) -> str:
    """One line without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)
