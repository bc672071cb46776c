# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What this machine remembers of its devices, from process to process.

Whether one executed here: when its driver is gone it still compiles, and a night that says so of
every model would read as if that was all that was ever asked. And whether one was left hanging:
what runs on it next is no evidence until a probe has passed.

Small files beside the verdict cache, by host, since several may share the folder:

    HOST/NAME.executes        the device NAME executed; the date
    HOST/LEASE.suspect        why the board, or what shares LEASE, is not to be believed
    HOST/LEASE.resets         by which run it was reset, a line for each time
    HOST/LEASE.drained        the run that takes no more of it, and why
    HOST/LEASE.open-PID-TIME-N  a process has it open; one that is dead did not close it

Where nothing can be written nothing is remembered, and all goes on as on a new machine.
"""

import contextlib
import itertools
import os
import socket
import urllib.parse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bringup.harness.devices.board import Board, boards_of
from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import RecordError
from bringup.harness.records.variable_names import RUN_ID_VARIABLE
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.verdicts.cache import default_path
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.presence import is_there

MOST_RESETS = 2
"""Of one board, by one run."""
_numbers = itertools.count(1)


def remember_executing(name: str) -> None:
    """Remember that the device executed here, unless it is of a kind that always does."""
    if kind_of(name).exclusive() and not is_there(path := _file(name, "executes")):
        _write(path, f"{datetime.now(UTC):%Y-%m-%d}")


def executed_before(name: str) -> str:
    """Since when the device is known to execute here; empty where it is not."""
    return _read(_file(name, "executes"))


def forget(name: str) -> None:
    """Take a machine for one that never had the device."""
    with contextlib.suppress(OSError):
        _file(name, "executes").unlink()
    for board in boards_of(name) or (Board(name),):
        absolve(board)


def suspect(board: Board, reason: str) -> None:
    """The board hung, or its host died: whoever opens it next has it probed."""
    for name in _remembered(board):
        _write(_file(name, "suspect"), reason)


def suspicion(board: Board) -> str:
    """Why a board is not to be believed before a probe; empty when it is."""
    names = _remembered(board)
    said = [_read(_file(name, "suspect")) for name in names]
    unclosed = (mark for name in names for mark in _open_marks(name) if not _is_alive(mark))
    if (reason := next(filter(None, said), "")) or (mark := next(unclosed, None)) is None:
        return reason
    pid = mark.name.rpartition("open-")[2].partition("-")[0]
    return f"the process that had it open ({pid}) ended without closing it"


def absolve(board: Board) -> None:
    """A probe passed: what was there against the board is void."""
    for name in _remembered(board):
        dead = [mark for mark in _open_marks(name) if not _is_alive(mark)]
        for path in (_file(name, "suspect"), _file(name, "drained"), *dead):
            with contextlib.suppress(OSError):
                path.unlink()


def may_reset(board: Board) -> bool:
    """Has this run a reset of the board left? Then it is spent."""
    run = _run()
    before = [_read(_file(name, "resets")).split("\n") for name in _remembered(board)]
    if any(lines.count(run) >= MOST_RESETS for lines in before):
        return False
    for name, lines in zip(_remembered(board), before, strict=True):
        mine = [line for line in lines if line == run]  # of other runs nothing is asked any more
        _write(_file(name, "resets"), "\n".join([*mine, run]))
    return True


def drain(board: Board, reason: str) -> None:
    """This run takes no more of the board, as long as there are others."""
    for name in _remembered(board):
        _write(_file(name, "drained"), f"{_run()}\n{reason}")


def drained(board: Board) -> str:
    """Why this run takes no more of the board; empty when it does."""
    said = (_read(_file(name, "drained")).partition("\n") for name in _remembered(board))
    return next((reason for run, _, reason in said if reason and run == _run()), "")


def note_open(board: Board | None) -> tuple[Path, ...]:
    """This process opens a board; the marks to take away when it is closed."""
    started = psutil.Process().create_time()
    of = f"open-{os.getpid()}-{started:.2f}-{next(_numbers)}"
    marks = tuple(_file(name, of) for name in (_remembered(board) if board else ()))
    for mark in marks:
        _write(mark, "")
    return marks


def note_closed(marks: Iterable[Path]) -> None:
    """It is closed, and nothing hangs that we know of."""
    for mark in marks:
        with contextlib.suppress(OSError):
            mark.unlink()


def _remembered(board: Board) -> tuple[str, ...]:
    """What is remembered of: of a device in memory nothing outlives its host."""
    return board.names if kind_of(board.device).exclusive() else ()


def _run() -> str:
    """The run, or the process, that what is good for one run is good for."""
    return VARIABLES[RUN_ID_VARIABLE].read() or f"process {os.getpid()}"


def _open_marks(name: str) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(_folder().glob(f"{_file(name, 'open-').name}*"))


def _is_alive(mark: Path) -> bool:
    try:
        pid, started, _ = mark.name.rpartition("open-")[2].split("-")
        return f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except (psutil.Error, ValueError):
        return False


def _folder() -> Path:
    cache = default_path()
    return cache.with_name(f"{cache.name}.devices") / urllib.parse.quote(socket.gethostname())


def _file(name: str, what: str) -> Path:
    return _folder() / f"{urllib.parse.quote(name, safe='')}.{what}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()[:500]
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(RecordError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{text}\n".encode(errors="replace"), sync=False)
