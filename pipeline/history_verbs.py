# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup history add|rebuild|verify|prune`: from options to exit code."""

import argparse
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.errors import HarnessError
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.run_dir import HEADER_NAME
from bringup.pipeline.errors import HistoryError, PipelineError
from bringup.pipeline.history.imports.github import fetch_artifacts
from bringup.pipeline.history.imports.junit_xml import DEVICE, junit_run
from bringup.pipeline.history.imports.unique_ops import ENDING, unique_ops_run
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.history.store.renames import likely_renames
from bringup.pipeline.history.store.rows import Kept
from bringup.pipeline.history.store.upkeep import prune, rebuild, verify
from bringup.pipeline.lists.expectations import ExitCode
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.finish import finish_runs
from bringup.pipeline.results.merge import merge, shards_in
from bringup.pipeline.results.remember import address_of

_GITHUB = re.compile(r"github:([^/\s]+/[^/\s]+)/(\d{1,18})")
_GIB = float(1 << 30)


def act(options: argparse.Namespace, say: Speaker) -> ExitCode:
    """Do what `history` was asked.

    Raises:
        PipelineError: something asked for does not exist, or makes no sense.
        HistoryError: the history cannot be reached, read or written.
        RecordError: a run directory is damaged.
    """
    history = History(address_of(options.history))
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
        shards = [d for f in folders for d in shards_in(f) if (d / "journal").is_dir()]
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
