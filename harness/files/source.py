# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a file's bytes come from, as far as a download has to know."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bringup.harness.errors import FileError

CHUNK = 1 << 20
"""Bytes that are read at once."""


def said(text: object) -> str:
    """What a server or a library says, as part of a sentence: one line, nothing for a terminal."""
    line = str(text).strip().partition("\n")[0].strip()
    return "".join(c if c.isprintable() else "?" for c in line)[:300]


class AbsentError(FileError):
    """The source has no such file."""


class IsFolderError(FileError):
    """The source has a folder of that name."""


class BrokenError(FileError):
    """The source did not answer, or not to the end; it may when it is asked again."""

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s
        """Seconds the source asks to be left alone for."""


@dataclass(frozen=True)
class Answer:
    """A file from some byte on."""

    start: int
    """The offset of the first byte that comes: the one asked for, or 0."""
    size: int | None
    """Bytes of the whole file; None when the source does not say."""
    validator: str
    """Changes when the file does; empty when nothing that does is known."""
    chunks: Iterator[bytes]
    sha256: str = ""
    """Of the whole file, in hexadecimal, where the source says it."""
    ends_visibly: bool = True
    """Can a whole file be told from one that was cut?"""


class Source(Protocol):
    """One file on a server."""

    @property
    def address(self) -> str:
        """For people: without passwords and without a query, which may carry a signature."""

    def open(self, offset: int, validator: str) -> AbstractContextManager[Answer]:
        """Ask for the file from `offset` on, if it still has that validator, else from its start.

        Raises:
            AbsentError, IsFolderError, BrokenError: see there; also while the chunks come.
            FileError: it is refused, and will be when it is asked again.
        """
