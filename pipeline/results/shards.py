# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a shard brought: the files of its run directory that a run writes, and what is wrong there.

Shards may be artifacts of another repository's pull request. Only regular files whose names a
run directory gives out are seen, and links are never followed.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ARTIFACT_FOLDER
from bringup.harness.records.journal import JOURNAL_FOLDER, read_header
from bringup.harness.records.reproducible import REPRO_FOLDER, REPRODUCER_FILES
from bringup.harness.records.run_dir import CONFIRM_FOLDER, plan_files, read_plans
from bringup.harness.records.schema import Plan

_JOURNAL = re.compile(r"[\w.-]{1,200}\.jsonl(\.zst)?", re.ASCII)
_PLAN = re.compile(r"plan.*\.json", re.DOTALL)
_ARTIFACT_FOLDER = re.compile(r"[0-9a-f]{2}")
_ARTIFACT = re.compile(r"[0-9a-f]{64}\.zst")
_REPRODUCER = re.compile(r"\w[\w.-]{0,250}", re.ASCII)
_ROUND = re.compile(r"[0-9a-z-]{1,60}")
MOST_SHARDS = 10_000
"""A plan that claims more is not believed."""


def shards_in(path: Path) -> list[Path]:
    """The run directories that a person means by `path`: itself, or all that lie in it.

    So the folder into which a CI job downloads its shards can be named whether any came or not.
    """
    if (path / JOURNAL_FOLDER).exists() or plan_files(path) or not path.is_dir():
        return [path]
    return sorted(below for below in path.iterdir() if below.is_dir()) or [path]


@dataclass
class Shard:
    """One run directory as it was found."""

    path: Path
    plans: list[Plan] = field(default_factory=list)
    journals: list[Path] = field(default_factory=list)
    artifacts: list[Path] = field(default_factory=list)
    reproducers: list[Path] = field(default_factory=list)
    """Their files."""
    rounds: list[Path] = field(default_factory=list)
    """Run directories of what was run again."""
    run_ids: set[str] = field(default_factory=set)
    losses: list[str] = field(default_factory=list)

    def lose(self, sentence: str) -> None:
        """Note what this directory brought and nobody can use."""
        self.losses.append(f"{self.path.name}: {sentence}")

    def files(self, folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
        """The regular files of a real folder whose names fit."""
        return self._entries(folder, name, stat.S_ISREG, "a regular file")

    def folders(self, folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
        """The real folders of a real folder whose names fit."""
        return self._entries(folder, name, stat.S_ISDIR, "a folder")

    def _entries(
        self, folder: Path, name: re.Pattern[str], fits: Callable[[int], bool], kind: str
    ) -> Iterator[Path]:
        """A link, or whatever else stands in an entry's place, is a loss."""
        if not os.path.lexists(folder):
            return
        if not stat.S_ISDIR(folder.lstat().st_mode):
            self.lose(f"{folder.name} is not a folder")
            return
        for path in sorted(folder.iterdir()):
            if not name.fullmatch(path.name):
                continue
            if fits(path.lstat().st_mode):
                yield path
            else:
                self.lose(f"{path.name!r} is not {kind}")


def look_at(path: Path) -> Shard:
    """What a run directory holds; nothing is changed."""
    source = Shard(path)
    if list(source.files(path, _PLAN)) and not source.losses:
        _look_at_plans(source)
    for journal in source.files(path / JOURNAL_FOLDER, _JOURNAL):
        try:
            opened = read_header(journal)
        except (RecordError, OSError) as error:
            source.lose(f"a journal is lost: {error}")
            continue
        source.journals.append(journal)
        source.run_ids |= {opened.run_id} if opened else set()
    for folder in source.folders(path / ARTIFACT_FOLDER, _ARTIFACT_FOLDER):
        source.artifacts += source.files(folder, _ARTIFACT)
    for folder in source.folders(path / REPRO_FOLDER, _REPRODUCER):
        files = source.files(folder, _REPRODUCER)
        source.reproducers += [file for file in files if file.name in REPRODUCER_FILES]
    source.rounds += source.folders(path / CONFIRM_FOLDER, _ROUND)
    return source


def _look_at_plans(source: Shard) -> None:
    try:
        plans = read_plans(source.path)
    except (RecordError, OSError) as error:
        source.lose(f"its plan is lost: {error}")
        return
    for plan in plans:
        i, n = plan.shard
        if 1 <= i <= n <= MOST_SHARDS:
            source.plans.append(plan)
            source.run_ids.add(plan.run_id)
        else:
            source.lose(f"a plan calls itself shard {i} of {n}")
