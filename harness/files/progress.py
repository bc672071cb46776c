# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far a long download is, on a terminal and nowhere else."""

import sys
import time
from types import TracebackType
from typing import Self

_QUIET_S = 2.0
"""What is done by then needs no line."""
_EVERY_S = 0.5
_CLEAR = "\r\x1b[K"


def amount(size: int) -> str:
    """Bytes for a person."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


class Progress:
    """A line on standard error that is gone at the end; a context manager."""

    def __init__(self, name: str) -> None:
        self._name = "".join(c if c.isprintable() else "?" for c in name)[:40]
        self._next = time.monotonic() + _QUIET_S
        self._shown = False
        self._terminal = sys.stderr.isatty()

    def show(self, received: int, size: int | None, doing: str = "") -> None:
        """Say how many bytes of how many have come, at most twice a second."""
        if not self._terminal or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        share = f"{100 * received / size:.0f} % of {amount(size)}" if size else amount(received)
        text = ": ".join(filter(None, (self._name, doing, share)))
        print(f"{_CLEAR}{text}", end="", file=sys.stderr, flush=True)
        self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
