# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a report format is: the one contract between `build` and those who write documents.

A format is a module, or an object, with the names of `Reporter`. It gets a run that is read and
counted already, writes its files into the run's folder and says which they are. It prints nothing,
decides nothing and knows of no other format: what two of them need lies in `model` or `text`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from bringup.reports.model.nights import Night
    from bringup.reports.model.ops import ModelOps
    from bringup.reports.model.run import RunSummary


class ArtifactChoice(StrEnum):
    """Whose artifacts (IR, diagnostics) a reader of the documents wants."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True)
class RunReport:
    """One merged run, for documents that go beside its records."""

    run: "RunSummary"
    folder: Path
    """The run's directory; nothing is written outside it."""
    artifacts: ArtifactChoice = ArtifactChoice.ALL


@dataclass(frozen=True)
class ModelsReport:
    """Models that went op by op: those of one run, or the newest of all runs."""

    models: "tuple[ModelOps, ...]"
    folder: Path
    """A run's directory, or the one that all runs are in: what a document links to is said from
    there."""
    artifacts: ArtifactChoice = ArtifactChoice.ALL
    devices: tuple[str, ...] = ()
    """Of all tests of these runs, those included on which none went op by op."""


@dataclass(frozen=True)
class ResultsReport:
    """All merged runs below a folder, for documents that stand in it."""

    nights: "tuple[Night, ...]"
    """The newest first."""
    folder: Path


@dataclass(frozen=True)
class Document:
    """Something to open."""

    label: str
    """What it is, in a few words, e.g. `spreadsheet`."""
    path: Path
    """A file, or a folder of files."""


@dataclass(frozen=True)
class Written:
    """What a format has written."""

    documents: tuple[Document, ...] = ()
    losses: tuple[str, ...] = ()
    """Sentences: artifacts that records name and that could not be read."""


@runtime_checkable
class Reporter(Protocol):
    """One format. `bringup.reports.catalog` says where they come from.

    All of them are imported for every `--help`: import what the writing needs when it is called.
    """

    @property
    def NAME(self) -> str:
        """What users call it: `--format NAME`; lower-case letters, digits, `-` and `_`."""
        ...

    @property
    def WRITES(self) -> Mapping[str, str]:
        """Its files and what is in them, a line each, for the help."""
        ...

    def write(self, report: RunReport) -> Written:
        """Write the documents on one run; nothing where the format has none.

        The same run gives the same bytes.

        Raises:
            RecordError: the disk is full or gone.
            ReportError: the run is laid out so that a document would leave it.
        """
        ...


@runtime_checkable
class ModelsReporter(Reporter, Protocol):
    """A format that has documents on models op by op, of one run as of many."""

    def write_models(self, report: ModelsReport) -> Written:
        """Write them; only called where a model got as far as its ops. All are files.

        The same models in the same folder give the same bytes.

        Raises:
            RecordError: the disk is full or gone.
        """
        ...


@runtime_checkable
class ResultsReporter(Reporter, Protocol):
    """A format that has documents on all runs of a folder."""

    def write_results(self, report: ResultsReport) -> Written:
        """Write them; the same runs give the same bytes.

        Raises:
            RecordError: the disk is full or gone.
        """
        ...


def is_on_demand(reporter: Reporter) -> bool:
    """Is a format written only where it is asked for by name (`ON_DEMAND = True`)?"""
    return bool(getattr(reporter, "ON_DEMAND", False))
