# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`issues`: what breaks promises, one incident a cause, from a night to files for a workflow."""

import re
from collections.abc import Iterable
from pathlib import Path

from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.advice import read_advice
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.night import NightVerdict
from bringup.harness.records.outcomes import latest
from bringup.harness.records.reproducible import is_reproducible
from bringup.harness.records.run_dir import read_merged
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.history_commands import RESULTS, history_of, night_of
from bringup.pipeline.history_options import HistoryOptions
from bringup.pipeline.lists.lists import read_lists
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.incident_texts import title, write_texts
from bringup.pipeline.results.incidents import (
    Incident,
    State,
    advance,
    read_incidents,
    with_issue,
    write_incidents,
)
from bringup.pipeline.results.issue import draft_issue

_OPENED = re.compile(r"([0-9a-zA-Z_-]+)=(https?://[^\s<>\"'`]+)")


def issues(options: HistoryOptions, say: Speaker) -> ExitCode:
    """Tell the incidents after a night; write them and what a platform is to be told when asked.

    Raises:
        PipelineError: an option makes no sense, or a file of an incident is none.
        HistoryError: the history cannot be read, or the run is not in it.
        RecordError: a run directory is damaged.
    """
    before = read_incidents(options.lists)
    if options.opened:
        return _opened(options, before, say)
    night = night_of(options)
    after = advance(before, night, _good(options, night), _expected(options.lists))
    for incident in after:
        say(_line(incident, before))
    if not after:
        say("no cause breaks what lists promise")
    if not options.write:
        say("nothing was written; add --write")
        return ExitCode.KEPT
    run_dir = Path(options.run) if Path(options.run or " ").is_dir() else RESULTS / night.run
    if run_dir.is_dir():
        for path in write_texts(run_dir, before, after, night, _evidence(run_dir)):
            say(f"wrote {path}")
    for path in write_incidents(options.lists, after):
        say(f"wrote {path}")
    return ExitCode.KEPT


def _opened(options: HistoryOptions, before: Iterable[Incident], say: Speaker) -> ExitCode:
    match = _OPENED.fullmatch(options.opened)
    if match is None:
        raise PipelineError(
            f"--opened {options.opened}: it is CAUSE=ADDRESS, the address as https://..."
        )
    cause, issue = match.groups()
    changed = write_incidents(options.lists, with_issue(before, cause, issue))
    say(f"wrote {changed[0]}" if changed else f"{cause} is tracked in {issue} already")
    return ExitCode.KEPT


def _good(options: HistoryOptions, night: NightVerdict) -> set[str]:
    """Keys of tests that do not have the cause any more. The cache says that as well: what its
    verdict was made of is what there is tonight."""
    history = history_of(options)
    runs = [run for run in history.runs() if run.run == night.run]
    found = samples(history, runs, None, read_aliases(options.lists)) if runs else []
    said = (Excluded.NONE, Excluded.CACHED)
    return {s.test for s in found if s.good and s.excluded in said}


def _expected(folder: Path) -> set[str]:
    """Keys of tests whose entry speaks of their failure."""
    return {e.identity.key for e in read_lists(folder).entries if e.expectation is not None}


def _evidence(run_dir: Path) -> dict[str, str]:
    header, records = read_merged(run_dir)
    return {
        record.identity.key: draft_issue(
            record,
            header.provenances.get(record.provenance),
            advice=read_advice(header.started_by),
        )
        for record in latest(records)
        if is_reproducible(record.outcome, record.failure)
    }


def _line(incident: Incident, before: Iterable[Incident]) -> str:
    was = next((i.state for i in before if i.cause == incident.cause), None)
    news = "" if was is incident.state else f" (was {was})" if was else " (new)"
    if incident.state is State.CLOSED:
        where = incident.issue or "it never had an issue"
    else:
        where = incident.issue or "no issue yet"
    day = f"{incident.opened:%Y-%m-%d}"
    return f"{incident.cause} {incident.state}{news}: {title(incident)}, since {day}; {where}"
