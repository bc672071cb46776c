# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Gathering what shards brought below one run directory; what is there already stays.

Of a stranger's shard no program is taken: the `run.py` of reproducers are written anew.
"""

import hashlib
import os
from pathlib import Path

from bringup.harness.records.artifacts import ARTIFACT_FOLDER
from bringup.harness.records.journal import JOURNAL_FOLDER, PACKED, PLAIN, journal_name
from bringup.harness.records.packing import read_lines
from bringup.harness.records.reproducible import OWN_SCRIPTS, REPRO_FOLDER, RUN_ANY, RUN_SCRIPT
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.pipeline.results.shards import Shard


def gather(source: Shard, into: Path) -> None:
    """Copy journals, artifacts and reproducers; what is there already stays."""
    for journal in source.journals:
        _keep_journal(journal, into / JOURNAL_FOLDER)
    for artifact in source.artifacts:
        target = into / ARTIFACT_FOLDER / artifact.parent.name / artifact.name
        if artifact.name.startswith(artifact.parent.name) and not target.exists():
            _link(artifact, target)
    for file in source.reproducers:
        target = into / REPRO_FOLDER / file.parent.name / file.name
        if file.name != RUN_SCRIPT:  # a program: of a stranger's shard none is taken
            _link(file, target)
        elif not target.exists():
            write_atomically(target, RUN_ANY.encode(), sync=False)


def write_scripts_anew(into: Path) -> None:
    """Have every `run.py` be ours, also where a stranger's run is merged in its own place."""
    for script in (into / REPRO_FOLDER).glob(f"*/{RUN_SCRIPT}"):
        if script.is_symlink() or not script.is_file() or script.read_bytes() not in OWN_SCRIPTS:
            write_atomically(script, RUN_ANY.encode(), sync=False)


def _keep_journal(journal: Path, folder: Path) -> None:
    """Keep a journal; a longer copy replaces a shorter one, another one of its name stands by.

    What came packed stays packed, as it came: `look_at` has unpacked it once.
    """
    stem = journal_name(journal)
    taken = any((folder / f"{stem}{ending}").exists() for ending in (PLAIN, PACKED))
    if journal.name.endswith(PACKED) and not taken:
        _link(journal, folder / f"{stem}{PACKED}")
        return
    data = read_lines(journal)
    for name in (stem, f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}"):
        target = folder / f"{name}{PLAIN}"
        packed = folder / f"{name}{PACKED}"
        here = next((path for path in (target, packed) if path.exists()), None)
        there = read_lines(here) if here else None
        if there is None or data.startswith(there):
            if data != there:
                write_atomically(target, data)
            return
        if there.startswith(data):
            return


def _link(file: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(target, error) from error
    try:
        os.link(file, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:  # another file system, or one without links
        write_atomically(target, file.read_bytes(), sync=False)
