# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs that nobody merged, merged in place: plain pytest's, and those whose supervisor was killed.

A run that was killed is merged as it is, and can be resumed afterwards all the same.
"""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import psutil

from bringup.harness.records.journal import PLAIN, journals, read_header, unpacked_journals
from bringup.harness.records.outcomes import counts_text, outcome_counts_of_run
from bringup.harness.records.packing import LARGEST
from bringup.harness.records.run_dir import (
    HEADER_NAME,
    PLAIN_RECORDS_NAME,
    no_run,
    read_plans,
    read_run_header,
)
from bringup.harness.records.schema import RunHeader
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.close_run import how_to_go_on
from bringup.pipeline.results.merge import finish
from bringup.pipeline.running import resume
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.run_lock import RunLock


def finish_runs(run_dirs: Sequence[Path], say: Speaker) -> list[tuple[Path, RunHeader]]:
    """Merge each run in place, unless it is merged already; return those that were merged now.

    Raises:
        PipelineError: a run is still going on, or a folder holds none.
        RecordError: it cannot be read, or the disk is full or gone.
    """
    finished = []
    for run_dir in run_dirs:
        if not run_dir.is_dir():
            raise PipelineError(no_run(run_dir))
        if not _is_merged(run_dir):
            finished.append((run_dir, _finish(run_dir, say)))
    return finished


def is_whole(header: RunHeader) -> bool:
    """Is it a run and not one shard of several, of whose tests the merged run knows all?"""
    return all(n == len(header.shards) for _, n in header.shards)


def _is_merged(run_dir: Path) -> bool:
    """Is all that its processes wrote in its records? A run of schema 1 keeps plain journals."""
    if not (run_dir / HEADER_NAME).exists():
        return False
    read_run_header(run_dir)
    old = run_dir / PLAIN_RECORDS_NAME
    is_old = old.exists() and old.stat().st_size <= LARGEST
    return is_old or not unpacked_journals(run_dir)


def _finish(run_dir: Path, say: Speaker) -> RunHeader:
    with RunLock(run_dir):
        for path in (p for p in journals(run_dir) if p.name.endswith(PLAIN)):
            _refuse_if_written(run_dir, path)
        cut_off = []
        for plan in read_plans(run_dir):
            ledger = Ledger(run_dir, plan.tests, plan.attempt)
            ledger.read()
            left = len(resume.left(ledger))
            resume.give_their_word(run_dir, plan, ledger)
            if left:
                unsaid = f"{left} of {len(plan.tests)} tests have no result of their own"
                cut_off.append(f"the run was cut off: {unsaid}; {how_to_go_on(run_dir, plan)}")
        header = finish(run_dir)
    counts = counts_text(outcome_counts_of_run(run_dir))
    say(f"merged {run_dir}: {counts or 'no test was recorded'}")
    for sentence in (*header.missing, *cut_off):
        say(sentence)
    return header


def _refuse_if_written(run_dir: Path, journal: Path) -> None:
    """Refuse a journal whose process lives; only on its own machine can that be seen.

    Raises:
        PipelineError: it lives.
    """
    opened = read_header(journal)
    if opened is None or opened.provenance.host != socket.gethostname():
        return
    pid = opened.provenance.pid
    if pid != os.getpid() and _lives(pid, opened.time):  # whoever asks has ended its own run
        raise PipelineError(
            f"the run in {run_dir} is still going on (process {pid}); report it when it has ended"
        )


def _lives(pid: int, at: float) -> bool:
    """Is the process of that number at work which was so at a time in seconds since the epoch?"""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= at)
    except psutil.Error:
        return False
