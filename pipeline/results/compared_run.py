# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run beside another one that was named, as a run directory of its own that can be reported.

It has the later run's records and kept texts, the verdict against the other run, and the texts of
the other that differ. So a page of two runs is made as every page is: records in, document out.
"""

import os
import re
import shutil
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ARTIFACT_FOLDER
from bringup.harness.records.journal import JOURNAL_FOLDER
from bringup.harness.records.night import NightVerdict, write_night
from bringup.harness.records.run_dir import AGAINST_FOLDER, MERGED_FILES, plan_files
from bringup.harness.records.trends import Trends, write_trends
from bringup.harness.storage.atomic import cannot_write
from bringup.harness.storage.file_names import fitted
from bringup.pipeline.results.earlier_texts import texts_of_run


def write_compared(run_dir: Path, other: Path, verdict: NightVerdict, trends: Trends) -> Path:
    """Lay out `run_dir` beside `other` below itself, anew; returns the directory.

    Files that are records already are linked and not copied where the disk can do that.

    Args:
        run_dir: The later run.
        other: The run it is held against; one that is not there has no texts to show.
        verdict: Of the later against the other.
        trends: The nights of the verdict.

    Raises:
        RecordError: records cannot be read, or the directory cannot be written.
    """
    assert verdict.baseline is not None, "a run is compared with one that history knows"
    into = run_dir / AGAINST_FOLDER / _folder_of(verdict.baseline.run)
    if into.parent.is_symlink():  # what is there is removed, and nothing elsewhere may be
        raise RecordError(f"{into.parent} is a link: nothing is written there")
    try:
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        _lay_out(run_dir, into)
    except OSError as error:
        raise cannot_write(f"the comparison {into}", error) from error
    write_night(into, verdict)
    earlier = texts_of_run(into, other, [test.test for test in verdict.tests])
    write_trends(into, msgspec.structs.replace(trends, earlier=earlier))
    return into


def _folder_of(run: str) -> str:
    """What the folder of a comparison is called: an id out of a history is no path."""
    name = re.sub(r"[^\w.-]+", "-", run, flags=re.ASCII).lstrip("-.") or "run"
    return fitted(name, 100, run)


def _lay_out(run_dir: Path, into: Path) -> None:
    for path in (*plan_files(run_dir), *(run_dir / name for name in MERGED_FILES)):
        if path.is_file():
            _link(str(path), str(into / path.name))
    for name in (JOURNAL_FOLDER, ARTIFACT_FOLDER):
        if (run_dir / name).is_dir():
            shutil.copytree(run_dir / name, into / name, copy_function=_link)


def _link(source: str, target: str) -> None:
    """One file under two names: what is written once is never changed in its place."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
