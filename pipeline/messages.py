# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Words for a person, on a stream that may be gone."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

PATIENCE_S = 10.0
"""So long nobody wonders whether anything happens."""


@dataclass(frozen=True)
class Speaker:
    """Prints lines; a reader that left does not end the run."""

    stream: TextIO
    told: list[Path] = field(default_factory=list)
    """The runs that can be reported now; whoever started this may do it."""
    patience_s: float = PATIENCE_S
    """After so long what is waited for is named; again after twice as long, and so on."""

    def __call__(self, text: str) -> None:
        """Print; control characters, which could drive a terminal, become spaces."""
        lines = (printable(line) for line in text.split("\n"))
        with contextlib.suppress(OSError, ValueError):
            print("\n".join(lines), file=self.stream, flush=True)

    @contextlib.contextmanager
    def waiting_for(self, what: str) -> Iterator[None]:
        """Say what is waited for, where it takes long, while the body runs."""
        over = threading.Event()

        def remind() -> None:
            begun, silent_s = time.monotonic(), self.patience_s
            while not over.wait(silent_s):
                self(f"waiting for {what}, {time.monotonic() - begun:.0f} s so far")
                silent_s *= 2

        reminder = threading.Thread(target=remind, daemon=True)
        reminder.start()
        try:
            yield
        finally:
            over.set()
            reminder.join()


def printable(text: str) -> str:
    """One line without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)
