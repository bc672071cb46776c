# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a year of nights costs: adding one, keeping them, asking for a test's story, merging shards.

add_seconds    the slowest of as many adds as it takes to fold once, each of a real run directory
year_mb        the store after all nights
explain_ms     the slowest of 20 tests' stories as `explain` tells them, median of 5 each
samples_seconds  what a verdict reads: 60 nights of all tests, and tonight's failing ops
verdict_seconds  a whole verdict on the newest night, from the store to causes and what to fix first
judging        how right causes and breaks are, of made failures and series whose truth is known
merge_seconds  64 shards whose journals came packed
"""

import argparse
import gc
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bringup.pipeline.history.store.history import MOST_LOOSE, History
from bringup.pipeline.history.store.read import op_samples, samples
from bringup.pipeline.history_commands import told_of
from bringup.pipeline.history_options import HistoryOptions
from bringup.pipeline.results.judge_run import past_of, verdict_of_run
from bringup.pipeline.results.merge import finish
from tests.benchmarks.figures import Figure
from tests.benchmarks.history.made_night import write_night
from tests.benchmarks.history.synthesise import write_year
from tests.benchmarks.history.year import Year
from tests.benchmarks.judging import parts as judging

PARTS = ("store", "merge", "judging")
QUICK = Year(tests=80, ops=1000, nights=40)
WINDOW = 60
"""Nights that a verdict looks back."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    add = parser.add_argument
    add("--quick", action="store_true", help="rehearse everything on a small year")
    add("--only", default=",".join(PARTS), help=f"parts: {','.join(PARTS)}")
    add("--scratch", type=Path, metavar="DIR", help="keep the year there, and take it from there")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the parts asked for.

    Raises:
        SystemExit: there is no such part.
    """
    parts = options.only.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        raise SystemExit(f"no part {unknown[0]!r}: there are {', '.join(PARTS)}")
    year = QUICK if options.quick else Year()
    scratch = options.scratch or Path(tempfile.mkdtemp(prefix="bringup-bench-"))
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        figures = list(_of_store(scratch, year)) if "store" in parts else []
        figures += list(_of_merge(scratch, year)) if "merge" in parts else []
        return figures + (judging.measure(quick=options.quick) if "judging" in parts else [])
    finally:
        if options.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)


def made_year(scratch: Path, year: Year) -> tuple[History, int]:
    """A store of all nights but the last few, kept in `scratch`, and how many it has.

    As many small containers lie in it as leave the next adds to fold.
    """
    before = year.nights - year.nights % MOST_LOOSE - 2
    history = History(str(scratch / f"year-{year.nights}-{year.tests}"))
    if not history.runs():
        write_year(history, year, before)
    return history, before


def _of_store(scratch: Path, year: Year) -> Iterator[Figure]:
    history, before = made_year(scratch, year)
    size = f"{year.tests} tests and {year.ops} op results a night, {year.nights} nights"
    seconds = [_add(scratch, history, year, night) for night in range(before, before + 3)]
    yield Figure("add_seconds", max(seconds), "s", "<= 3", f"{size}; slowest of 3, one folds")
    disk = sum(history.place.sizes().values()) / 1e6 * year.nights / (before + 3)
    yield Figure("year_mb", disk, "MB", "<= 400", size)
    runs = history.runs()
    lists = Path(tempfile.mkdtemp(dir=scratch))  # without names of causes
    good = [s.test for s in samples(history, runs[-1:]) if s.good]
    each = [
        _timed(partial(told_of, history, HistoryOptions(test=test, lists=lists)), 5)
        for test in good[:: max(1, len(good) // 20)][:20]
    ]
    what = f"{size}; slowest of 20 good tests; of a bad one the night's verdict is read besides"
    yield Figure("explain_ms", 1000 * max(each), "ms", "<= 100", what)

    def read() -> None:
        samples(history, runs[-WINDOW:])
        op_samples(history, runs[-1:], only_bad=True)

    yield Figure("samples_seconds", _timed(read, 3), "s", "<= 1", f"{size}; {WINDOW} nights back")
    peak = _peak_of(
        "from bringup.pipeline.history.store.history import History;"
        "from bringup.pipeline.history.store.read import samples;"
        f"h = History({history.address!r}); samples(h, h.runs()[-{WINDOW}:])"
    )
    judge = _timed(lambda: verdict_of_run(past_of(history, runs[-1].run, lists), lists), 3)
    yield Figure("verdict_seconds", judge, "s", "<= 2", f"{size}; {WINDOW} nights back")
    whole = _peak_of(
        "from pathlib import Path; from bringup.pipeline.history.store.history import History;"
        "from bringup.pipeline.results.judge_run import past_of, verdict_of_run;"
        f"h = History({history.address!r}); lists = Path({str(lists)!r});"
        f"verdict_of_run(past_of(h, {runs[-1].run!r}, lists), lists)"
    )
    yield Figure("verdict_mb", whole, "MB", "<= 500", "a process's peak")
    yield Figure("samples_mb", peak, "MB", "<= 500", "a process's peak")


def _add(scratch: Path, history: History, year: Year, night: int) -> float:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        (run_dir,) = write_night(folder, year, night)
        finish(run_dir)
        gc.collect()
        return _timed(lambda: history.add(run_dir), 1)
    finally:
        shutil.rmtree(folder)


def _of_merge(scratch: Path, year: Year) -> Iterator[Figure]:
    """Both in a process of its own, whose peak is the merge's alone."""
    shards, ops = (4, 1000) if year.tests < 1000 else (64, 300_000)
    large = Year(tests=year.tests * (1 if shards == 4 else 6), ops=ops, nights=2)
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        run_dirs = write_night(folder / "shards", large, 1, shards)
        for run_dir in run_dirs:
            finish(run_dir)
        code = (
            "import sys, time; from pathlib import Path\n"
            "from bringup.pipeline.results.merge import merge\n"
            "began = time.perf_counter()\n"
            "merge([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]))\n"
            "print(time.perf_counter() - began)\n" + _PEAK
        )
        command = [sys.executable, "-c", code, str(folder / "into"), *map(str, run_dirs)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    finally:
        shutil.rmtree(folder)
    what = f"{shards} shards, {len(large.truths)} tests, {ops} op results"
    yield Figure("merge_seconds", float(said[0]), "s", "<= 6", what)
    yield Figure("merge_mb", float(said[1]), "MB", "<= 400", what)


_PEAK = (
    "lines = open('/proc/self/status').read().splitlines()\n"
    "print(next(int(n.split()[1]) for n in lines if n.startswith('VmHWM')) / 1000)"
)
"""Prints megabytes. `ru_maxrss` would not do: a child begins with its parent's (getrusage(2))."""


def _peak_of(code: str) -> float:
    """Megabytes that a Python process had at most which ran some code."""
    command = [sys.executable, "-c", f"{code}\n{_PEAK}"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _timed(act: Callable[[], object], times: int) -> float:
    """Median wall seconds."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
