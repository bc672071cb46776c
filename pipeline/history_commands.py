# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verbs that ask history, and `history` that takes care of it: from options to exit code."""

import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import HarnessError
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.records.aliases import read_aliases, renamed
from bringup.harness.records.journal import JOURNAL_FOLDER
from bringup.harness.records.night import NightVerdict, read_night
from bringup.harness.records.run_dir import HEADER_NAME, read_merged
from bringup.pipeline.errors import HistoryError, PipelineError
from bringup.pipeline.history.imports.github import fetch_artifacts
from bringup.pipeline.history.imports.junit_xml import DEVICE, junit_run
from bringup.pipeline.history.imports.unique_ops import ENDING, unique_ops_run
from bringup.pipeline.history.judge.explain import compared, explain, story
from bringup.pipeline.history.judge.verdict import verdict_of
from bringup.pipeline.history.samples import AT_THE_DESK, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import devices_of_tests, samples
from bringup.pipeline.history.store.renames import likely_renames
from bringup.pipeline.history.store.rows import Kept
from bringup.pipeline.history.store.tables import NOWHERE
from bringup.pipeline.history.store.upkeep import is_history, prune, rebuild, verify
from bringup.pipeline.history.store.verdicts import keep_verdict_of, kept_verdict
from bringup.pipeline.history_options import HistoryOptions
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.compared_run import write_compared
from bringup.pipeline.results.explain_standing import standing_of
from bringup.pipeline.results.finish import finish_runs
from bringup.pipeline.results.judge_run import head_of, past_of, trends_of_run, verdict_of_run
from bringup.pipeline.results.merge import merge
from bringup.pipeline.results.shards import shards_in

_GITHUB = re.compile(r"github:([^/\s]+/[^/\s]+)/(\d{1,18})")
_GIB = float(1 << 30)
RESULTS = Path("results")


def keep(options: HistoryOptions, say: Speaker) -> ExitCode:
    """Do what `history` was asked.

    Raises:
        PipelineError: something asked for does not exist, or makes no sense.
        HistoryError: the history cannot be reached, read or written.
        RecordError: a run directory is damaged.
    """
    history = history_of(options)
    if options.action == "add":
        if not options.sources:
            raise PipelineError("`history add` needs a run directory, or a file to import")
        for source in options.sources:
            _add(history, source, options.device, say)
        return ExitCode.KEPT
    if options.action in ("verify", "prune", "renames") and options.sources:
        raise PipelineError(f"`history {options.action}` takes no `{options.sources[0]}`")
    if options.action == "rebuild":
        return _rebuild(history, [Path(s) for s in options.sources], options.forget, say)
    if options.action == "verify":
        return _verify(history, say)
    if options.action == "prune":
        return _prune(history, options.days, options.gib, say)
    return _renames(history, options.lists, say)


def _add(history: History, source: str, device: str, say: Speaker) -> None:
    if match := _GITHUB.fullmatch(source):
        _add_of_github(history, match[1], int(match[2]), device, say)
        return
    path = Path(source)
    if path.is_dir():
        ops = [] if (path / HEADER_NAME).exists() else sorted(path.glob(f"*{ENDING}"))
        if ops:
            _add_rows(history, [unique_ops_run(ops, _named(device))], source, say)
        else:
            finish_runs([path], say)
            run = history.add(path)
            keep_verdict_of(history, path)
            say(f"{run.run} of {path} is in the history at {history.address}")
    elif path.name.endswith(ENDING):
        _add_rows(history, [unique_ops_run([path], _named(device))], source, say)
    elif path.is_file():
        _add_rows(history, [junit_run(path, device=device or DEVICE)], source, say)
    else:
        raise PipelineError(f"there is no run directory or file {source}")


def _add_rows(history: History, found: Sequence[Kept], source: str, say: Speaker) -> None:
    history.add_rows(found)
    for kept in found:
        say(f"{kept.run.run} of {source} is in the history at {history.address}")
        for sentence in kept.run.missing:
            say(f"missing: {sentence}")


def _add_of_github(
    history: History, repository: str, run_id: int, device: str, say: Speaker
) -> None:
    """Shards among the artifacts are merged; of others each file that can be imported is."""
    with tempfile.TemporaryDirectory(prefix="bringup-github-") as scratch:
        folders, said = fetch_artifacts(repository, run_id, Path(scratch) / "artifacts")
        for sentence in said:
            say(sentence)
        shards = [d for f in folders for d in shards_in(f) if (d / JOURNAL_FOLDER).is_dir()]
        if shards:
            into = Path(scratch) / "run"
            merge(shards, into)
            say(f"{history.add(into).run} of {repository} is in the history at {history.address}")
            return
        files = [p for f in folders for p in sorted(f.rglob("*")) if p.is_file()]
        known = [p for p in files if p.suffix == ".xml" or p.name.endswith(ENDING)]
        if not known:
            raise HistoryError(f"run {run_id} of {repository} left nothing that can be imported")
        for path in known:
            try:
                _add(history, str(path), device, say)
            except HarnessError as error:
                say(f"not added: {error}")


def _rebuild(history: History, folders: Sequence[Path], forget: bool, say: Speaker) -> ExitCode:
    folders = folders or [Path("results")]
    if absent := [str(f) for f in folders if not f.is_dir()]:
        raise PipelineError(f"there is no folder {', '.join(absent)}")
    said = rebuild(history, folders, forget=forget)
    for sentence in said:
        say(sentence)
    if not said:
        say(f"{_counted(len(history.runs()))} in the history at {history.address}")
    return ExitCode.INFRASTRUCTURE if said else ExitCode.KEPT


def _verify(history: History, say: Speaker) -> ExitCode:
    if not is_history(history):
        raise HistoryError(f"there is no history at {history.address}")
    said = verify(history)
    for sentence in said:
        say(sentence)
    if not said:
        size = sum(history.place.sizes().values()) / 1e6
        say(f"{_counted(len(history.runs()))}, {size:.1f} MB, all as written: {history.address}")
    return ExitCode.INFRASTRUCTURE if said else ExitCode.KEPT


def _prune(history: History, days: float | None, gib: float | None, say: Speaker) -> ExitCode:
    gone = prune(history, time.time(), days, None if gib is None else int(gib * _GIB))
    for run in gone:
        say(f"forgot {run.run}")
    say(f"{_counted(len(history.runs()))} left in the history at {history.address}")
    return ExitCode.KEPT


def _renames(history: History, lists: Path, say: Speaker) -> ExitCode:
    found = likely_renames(samples(history, aliases=read_aliases(lists)))
    for rename in found:
        say(f"{rename.line}  # on {', '.join(rename.devices)}: {rename.last}, then {rename.first}")
    say(f"{len(found)} likely renames; a line goes below [names] of {lists / 'aliases.toml'}")
    return ExitCode.KEPT


def _counted(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"


def _named(device: str) -> str:
    if not device:
        raise PipelineError("files of unique ops do not say on which device; add --device NAME")
    return device


# --- asking ---------------------------------------------------------------------------------


def why(options: HistoryOptions, say: Speaker) -> ExitCode:
    """Tell what a night came to beside the ones before: new, known, fixed, flaky; what to fix.

    BROKEN: a test of a list that gates was good at the baseline and is bad.

    Raises:
        HistoryError: the history cannot be read, or the run is not in it.
    """
    verdict = night_of(options)
    for line in head_of(verdict):
        say(line)
    for line in compared(verdict)[1:]:
        say(line)
    return ExitCode.BROKEN if verdict.regressed else ExitCode.KEPT


def night_of(options: HistoryOptions) -> NightVerdict:
    """A night as it was judged when the run ended, unless it is to be held against another.

    Raises:
        HistoryError: the history cannot be read, or the run is not in it.
    """
    history = None if options.run else history_of(options)
    run = _id_of(options.run) if history is None else _newest(history)
    judged = None if options.against else _as_judged(run, options.run)
    if judged is not None:
        return judged
    history = history or history_of(options)
    judged = None if options.against else kept_verdict(history, run)
    if judged is not None:
        return judged
    against = _id_of(options.against) if options.against else ""
    past = past_of(history, run, options.lists, against=against)
    return verdict_of_run(past, options.lists)


def _as_judged(run: str, place: str = "") -> NightVerdict | None:
    """What was made of a run when it ended, with what running it again came to; None where its
    directory is not here."""
    for folder in (Path(place), RESULTS / run):
        if folder.name and folder.is_dir():
            found = read_night(folder)
            if found is not None and found.run == run:
                return found
    return None


def explain_test(options: HistoryOptions, say: Speaker) -> ExitCode:
    """Tell a test's whole story: since when, on what evidence, what changed, how to run it again.

    Raises:
        HistoryError: the history cannot be read, or knows no such test.
    """
    history = history_of(options)
    with history.held():
        lines = told_of(history, options)
    for line in lines:
        say(line)
    return ExitCode.KEPT


def told_of(history: History, options: HistoryOptions) -> list[str]:
    """The lines on one test.

    Raises:
        HistoryError: the history cannot be read, or knows no such test.
    """
    aliases = read_aliases(options.lists)
    test, found = options.test, list[Sample]()
    whole = "@" in test and (not options.device or test.endswith(f"@{options.device}"))
    if whole and renamed(test, aliases) == test:  # no other has to be looked at
        found = samples(history, None, [test], aliases)
    if not found:
        test = _test_of(history, options)
        found = samples(history, None, [test], aliases)
    tried = {run.run for run in history.runs() if run.session in AT_THE_DESK}
    newest = ([s for s in found if s.run not in tried] or found)[-1]
    past = past_of(history, newest.run, options.lists, tests=[test], read=found)
    night = _as_judged(newest.run) or kept_verdict(history, newest.run)
    if night is None and not newest.good:
        night = verdict_of_run(past_of(history, newest.run, options.lists), options.lists)
    clusters = night.clusters if night else ()
    told = next((one for one in night.tests if one.test == test), None) if night else None
    cluster = next((c for c in clusters if test in c.tests), None)
    details = story(told, cluster) if told else explain(past.columns, test, past.tonight, clusters)
    known = told or verdict_of(past.columns, test, past.tonight)
    head = standing_of(history, options.lists, test, found, known, cluster)
    if newest.fingerprint:
        details.append(f"fingerprint {newest.fingerprint}")
    return [*head, "in detail", *(f"  {line}" for line in details)] if head else details


def compare(options: HistoryOptions, say: Speaker) -> ExitCode:
    """Tell one run against another, the most urgent test first.

    BROKEN: a test of a list that gates was good in the first and is bad in the second.

    Raises:
        HistoryError: one of them is not in the history.
        PipelineError: a page is asked for, and the second run's directory is not here.
        RecordError: a run directory is damaged.
    """
    given = [Path(options.run_a), Path(options.run_b)]
    other, run_dir = (_directory_of(text) for text in (options.run_a, options.run_b))
    if options.html and not run_dir.is_dir():
        raise PipelineError(f"--html draws from RUN_B's directory, and there is no {run_dir}")
    with tempfile.TemporaryDirectory(prefix="bringup-compare-") as scratch:
        history = None
        if all(path.is_dir() for path in given):  # they need not be in the history
            history = History(f"{scratch}/history")
            for path in given:
                history.add(path)
        history = history or history_of(options)
        run_a, run_b = (_id_of(text) for text in (options.run_a, options.run_b))
        past = past_of(history, run_b, options.lists, against=run_a)
        verdict = verdict_of_run(past, options.lists)
        trends = trends_of_run(history, past, verdict) if options.html else None
        left_out = {key for run in history.runs() if run.run == run_a for key in run.left_out}
    for line in compared(verdict, left_out):
        say(line)
    if trends is not None:
        say.told.append(write_compared(run_dir, other, verdict, trends))
    return ExitCode.BROKEN if verdict.regressed else ExitCode.KEPT


def _directory_of(text: str) -> Path:
    """Of a run's directory, or of the id of a run below results/."""
    path = Path(text)
    return path if path.is_dir() else RESULTS / path.name


def history_of(options: HistoryOptions) -> History:
    """The history that is asked.

    Raises:
        HistoryError: there is to be none.
    """
    if options.history == NOWHERE:
        raise HistoryError("there is no history: --history, or BRINGUP_HISTORY, says none")
    return History(options.history)


def _id_of(text: str) -> str:
    """A run's id, of the id or of the run's directory."""
    path = Path(text)
    return read_merged(path)[0].run_id if path.is_dir() else text


def _newest(history: History) -> str:
    runs = history.runs()
    if not runs:
        raise HistoryError(f"the history at {history.address} has no run yet")
    return runs[-1].run


def _test_of(history: History, options: HistoryOptions) -> str:
    """The one test that is meant.

    Raises:
        HistoryError: there is none, or there are several.
    """
    known = devices_of_tests(history, read_aliases(options.lists))
    of_device = [t for t, d in known.items() if not options.device or d == options.device]
    if options.test in of_device:
        return options.test
    found = [t for t in of_device if options.test in t]
    if len(found) == 1:
        return found[0]
    if not found:
        near = hint(options.test, of_device)
        raise HistoryError(f"history knows no test `{options.test}`{near}")
    some = ", ".join(found[:5]) + (", ..." if found[5:] else "")
    raise HistoryError(f"`{options.test}` is {len(found)} tests: {some}; name one")
