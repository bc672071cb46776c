# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What runs a plan: the contract of an engine, and how a run ends."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from bringup.harness.records.schema import Plan
from bringup.pipeline.planning.selection import Chosen, Refusal
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Settings


class End(enum.Enum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    DIED = "died"
    DISK_FULL = "disk full"
    ELSEWHERE = "closed elsewhere"
    """Every test has its outcome, and another of those that ran them writes what it comes to."""


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


class Joined(NamedTuple):
    """A run that several commands carry out together."""

    run_dir: Path
    """Everybody's."""
    run_id: str
    created: float
    """Seconds since the epoch, by the clock of whoever came first."""
    holder: str
    """What this command is called among them."""
    age_s: float = 0.0
    """Seconds since whoever came first named the run."""


@runtime_checkable
class Shares(Protocol):
    """An engine whose runs several commands carry out together, each with the same options."""

    def join(self, address: str, run_id: str, created: float) -> Joined:
        """Take part in the run at an address; the first to come names it.

        Raises:
            PipelineError: the run there is finished, or is no run of this kind.
            RecordError: its directory cannot be written.
        """
        ...

    def agreed(self, run_dir: Path, plan: Plan) -> Plan:
        """The plan that all carry out: that of whoever says one first, which may be this one.

        Raises:
            RecordError: the directory cannot be written, or what lies there is no plan.
        """
        ...

    def leave(self, settings: Settings) -> None:
        """Nothing more is written by the one whose `run` did not end as ELSEWHERE."""
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """An engine whose tests run on other machines than this one."""

    def seen_there(self, address: str, chosen: Chosen) -> Chosen:
        """What was chosen, with its devices as they are there.

        Raises:
            PipelineError: nobody answers there, or a test needs what no machine there has.
        """
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
