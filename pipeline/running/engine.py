# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What runs a plan: the contract of an engine, and how a run ends."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bringup.harness.records.schema import Plan
from bringup.pipeline.planning.selection import Refusal
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Settings


class End(enum.Enum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    DIED = "died"
    DISK_FULL = "disk full"


@dataclass(frozen=True)
class Ended:
    """The end of a run, by name and, when something is to be mended, in sentences."""

    how: End
    sentences: tuple[str, ...] = ()


class Watcher(Protocol):
    """Told what happens, about four times a second."""

    def update(self, ledger: Ledger, finished: list[str]) -> None:
        """`finished` are the keys that got their outcome since the last call."""
        ...


@runtime_checkable
class Engine(Protocol):
    """Where the tests of a plan run. Whichever it is, records, resume and report are the same."""

    @property
    def name(self) -> str:
        """What `--engine` calls it; `--engine NAME://ADDRESS` gives it `Settings.address`."""
        ...

    @property
    def says(self) -> str:
        """What it is, in a line of the help."""
        ...

    @property
    def takes_address(self) -> bool:
        """Is it somewhere else, so that `NAME://ADDRESS` says where?"""
        ...

    def run(
        self, plan: Plan, settings: Settings, watcher: Watcher, refused: Mapping[str, Refusal]
    ) -> Ended:
        """Run every test of `plan`, which is written already, and leave each with a record.

        `refused` names tests by key that are not to be tried, each with its reason.

        Raises:
            RecordError: the run directory cannot be written at all; nothing was run.
        """
        ...
