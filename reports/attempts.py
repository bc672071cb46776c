# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Formats that are asked to write, one after the other: each may fail, and costs no other."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bringup.harness.errors import HarnessError
from bringup.harness.storage.writable import said_by
from bringup.reports.reporter import Document, Written

Report = TypeVar("Report")


@dataclass
class Attempts:
    """What came of the formats so far."""

    written: dict[str, Written] = field(default_factory=dict)
    """By the name of the format, in the order of writing."""
    failures: list[str] = field(default_factory=list)
    """Sentences: formats that could not write, and why."""

    def make(self, name: str, write: Callable[[Report], Written], report: Report) -> None:
        """Have the format called `name` write."""
        try:
            found = write(report)
            _refuse_nonsense(found)
        except HarnessError as error:
            self.failures.append(f"format {name}: {error}")
        except (Exception, SystemExit) as error:  # whatever a format of somebody else's may raise
            self.failures.append(f"format {name} failed: {_described(error)}")
        else:
            self.written[name] = found

    @property
    def documents(self) -> tuple[Document, ...]:
        """Everything that was written."""
        return tuple(d for written in self.written.values() for d in written.documents)

    @property
    def losses(self) -> tuple[str, ...]:
        """Sentences, each once: artifacts that could not be read."""
        found = (loss for written in self.written.values() for loss in written.losses)
        return tuple(dict.fromkeys(found))


def _refuse_nonsense(found: object) -> None:
    """Look at what a format of somebody else's gave before anybody prints it."""
    if not isinstance(found, Written):
        raise TypeError(f"it gave {type(found).__name__} and not Written")
    for kind, things in ((Document, found.documents), (str, found.losses)):
        if wrong := [thing for thing in things if not isinstance(thing, kind)]:
            raise TypeError(f"it gave {wrong[0]!r} where {kind.__name__} is wanted")


def _described(error: BaseException) -> str:
    """`KeyError: 'x' (my_format.py:12)`: where it was raised, as no traceback will say it."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {said_by(error)} ({Path(last.filename).name}:{last.lineno})"
