# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One merged run directory in, the documents of every format out."""

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.moves import read_moves
from bringup.harness.records.night import read_night
from bringup.harness.records.recent import devices_below, merged_runs, recent_ops
from bringup.harness.records.run_dir import read_merged, read_ops, read_plans, read_run_header
from bringup.harness.records.trends import read_trends
from bringup.reports import catalog
from bringup.reports.attempts import Attempts
from bringup.reports.beside import Beside, ProcessEnded, is_worth_it
from bringup.reports.errors import ReportError
from bringup.reports.model.nights import nights_of
from bringup.reports.model.ops import ModelOps, models_of
from bringup.reports.model.run import RunSummary, summarise
from bringup.reports.reporter import (
    ArtifactChoice,
    ModelsReport,
    ModelsReporter,
    Reporter,
    ResultsReport,
    ResultsReporter,
    RunReport,
)


@dataclass(frozen=True)
class Built:
    """What came of documents on one run."""

    run: RunSummary
    folder: Path
    of_run: Attempts = field(default_factory=Attempts)
    of_models: Attempts = field(default_factory=Attempts)
    """Documents on its models op by op; none when no test went op by op."""

    @property
    def losses(self) -> tuple[str, ...]:
        """Sentences: artifacts that records name and that could not be read."""
        return tuple(dict.fromkeys((*self.of_run.losses, *self.of_models.losses)))

    @property
    def failures(self) -> tuple[str, ...]:
        """Sentences: formats that could not write, and why."""
        return (*self.of_run.failures, *self.of_models.failures)


@dataclass(frozen=True)
class BuiltModels:
    """What came of documents on all models recently run."""

    models: tuple[ModelOps, ...]
    unread: tuple[str, ...]
    """Sentences: runs that could not be read."""
    made: Attempts
    devices: tuple[str, ...] = ()
    """Of all tests of these runs."""


def build(
    run_dir: Path,
    artifacts: ArtifactChoice = ArtifactChoice.ALL,
    reporters: Sequence[Reporter] | None = None,
) -> Built:
    """Write the documents of a merged run into its directory; in all formats, if none are given.

    A format that cannot write is a sentence in what is returned. Of a large run the documents on
    ops are written by a process of their own.

    Raises:
        RecordError: not a merged run, a newer schema, or a malformed record.
    """
    with _without_collection():
        built = Built(load(run_dir), run_dir)
        report = RunReport(built.run, run_dir, artifacts)
        of_models = ModelsReport(built.run.ops, run_dir, artifacts, built.run.devices)
        able = [r for r in _or_all(reporters) if isinstance(r, ModelsReporter)]
        with _written_models(able if built.run.any_ops else [], of_models, built.of_models):
            for reporter in _or_all(reporters):
                built.of_run.make(reporter.NAME, reporter.write, report)
    return built


@contextlib.contextmanager
def _written_models(
    able: Sequence[ModelsReporter], report: ModelsReport, into: Attempts
) -> Iterator[None]:
    """Have the documents on ops written by the end of the block, at its side where it is worth
    that."""

    def make() -> Attempts:
        attempts = Attempts()
        for reporter in able:
            attempts.make(reporter.NAME, reporter.write_models, report)
        return attempts

    if not (able and is_worth_it(sum(len(model.ops) for model in report.models))):
        yield
        _add(make(), into)
        return
    beside = Beside(make)
    try:
        yield
    except BaseException:
        beside.give_up()
        raise
    try:
        _add(beside.result(), into)
    except ProcessEnded as error:
        names = ", ".join(reporter.NAME for reporter in able)
        into.failures.append(f"format {names} failed: {error}")


def _add(found: Attempts, into: Attempts) -> None:
    into.written.update(found.written)
    into.failures += found.failures


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Millions of records and cells are made, none of them in a circle: looking for circles among
    them takes a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def build_models(
    results: Path,
    aliases: Mapping[str, str] | None = None,
    reporters: Sequence[Reporter] | None = None,
    artifacts: ArtifactChoice = ArtifactChoice.ALL,
) -> BuiltModels:
    """Write the documents on models op by op, of all recently run, into `results`.

    `aliases` give old names of tests their present ones.

    Raises:
        ReportError: no merged run below `results` went op by op, or no format has such documents.
    """
    able = [r for r in _or_all(reporters) if isinstance(r, ModelsReporter)]
    if not able:
        raise ReportError("none of these formats has a document on models op by op")
    tests, unread = recent_ops(results, aliases)
    models = models_of(tests)
    if not any(model.found for model in models):
        why = f" ({unread[0]})" if unread else ""
        raise ReportError(f"no merged run below {results} has op-by-op results{why}")
    devices = devices_below(results)
    attempts = Attempts()
    for reporter in able:
        report = ModelsReport(models, results, artifacts, devices)
        attempts.make(reporter.NAME, reporter.write_models, report)
    return BuiltModels(models, tuple(unread), attempts, devices)


def build_results(results: Path, reporters: Sequence[Reporter] | None = None) -> Attempts:
    """Write the documents on all merged runs below `results` into it.

    A folder that is a run itself has the run's documents, and gets none of these.

    Raises:
        OSError: the folder cannot be read.
    """
    nights, losses = nights_of(results)
    made = Attempts()
    report = ResultsReport(tuple(n for n in nights if n.run_dir != results), results)
    for reporter in _or_all(reporters):
        if isinstance(reporter, ResultsReporter) and len(report.nights) == len(nights):
            made.make(reporter.NAME, reporter.write_results, report)
    made.failures += [f"not listed: {loss}" for loss in losses]
    return made


def _or_all(reporters: Sequence[Reporter] | None) -> Sequence[Reporter]:
    return catalog.chosen(()) if reporters is None else reporters


def load(run_dir: Path) -> RunSummary:
    """Read and summarise a merged run."""
    header, records = read_merged(run_dir)
    ops = read_ops(run_dir)
    run = summarise(header, records, read_plans(run_dir), read_moves(run_dir), ops, run_dir)
    return replace(run, night=read_night(run_dir), trends=read_trends(run_dir))


def newest_run(results: Path) -> Path:
    """The merged run below `results` that was begun, or taken up again, last.

    Raises:
        ReportError: there is none, or one cannot be read and might be it.
    """
    created = {path.parent: _created(path.parent) for path in merged_runs(results)}
    if not created:
        raise ReportError(
            f"no merged run below {results}: name a run directory, or merge one first"
        )
    return max(created, key=lambda run_dir: (created[run_dir], run_dir.name))


def _created(run_dir: Path) -> float:
    try:
        found = read_run_header(run_dir)
        return max(found.created, found.resumed)
    except RecordError as error:
        raise ReportError(f"cannot tell which run is the newest: {error}") from error
