# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What this machine remembers of its devices, from process to process.

Whether one executed here: when its driver is gone it still compiles, and a night that says so of
every model would read as if that was all that was ever asked. And whether one was left hanging:
what runs on it next is no evidence until a probe has passed.

Small files beside the verdict cache, by host, since several may share the folder:

    HOST/NAME.executes        the device NAME executed; the date
    HOST/LEASE.suspect        why what shares LEASE is not to be believed
    HOST/LEASE.open-PID-TIME-N  a process has it open; one that is dead did not close it

Where nothing can be written nothing is remembered, and all goes on as on a new machine.
"""

import contextlib
import itertools
import os
import socket
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import RecordError
from bringup.harness.records.verdicts.cache import default_path
from bringup.harness.storage.atomic import write_atomically

_numbers = itertools.count(1)


def remember_executing(name: str) -> None:
    """Remember that the device executed here, unless it is of a kind that always does."""
    if kind_of(name).exclusive() and not (path := _file(name, "executes")).exists():
        _write(path, f"{datetime.now(UTC):%Y-%m-%d}")


def executed_before(name: str) -> str:
    """Since when the device is known to execute here; empty where it is not."""
    return _read(_file(name, "executes"))


def forget(name: str) -> None:
    """Take a machine for one that never had the device."""
    with contextlib.suppress(OSError):
        _file(name, "executes").unlink()
    absolve(name)


def suspect(name: str, reason: str) -> None:
    """The device hung, or its host died: whoever opens it next has it probed."""
    if kind_of(name).exclusive():
        _write(_file(_shared(name), "suspect"), reason)


def suspicion(name: str) -> str:
    """Why a device is not to be believed before a probe; empty when it is."""
    if not kind_of(name).exclusive():  # of others nothing outlives the host
        return ""
    reason = _read(_file(_shared(name), "suspect"))
    for mark in _open_marks(name):
        if reason:
            break
        if not _is_alive(mark):
            pid = mark.name.rpartition("open-")[2].partition("-")[0]
            reason = f"the process that had it open ({pid}) ended without closing it"
    return reason


def absolve(name: str) -> None:
    """A probe passed: what was there against the device is void."""
    dead = [mark for mark in _open_marks(name) if not _is_alive(mark)]
    for path in (_file(_shared(name), "suspect"), *dead):
        with contextlib.suppress(OSError):
            path.unlink()


def note_open(name: str) -> Path | None:
    """This process opens a device; the mark to take away when it is closed. None: it needs none."""
    if not kind_of(name).exclusive():
        return None
    started = psutil.Process().create_time()
    mark = _file(_shared(name), f"open-{os.getpid()}-{started:.2f}-{next(_numbers)}")
    _write(mark, "")
    return mark


def note_closed(mark: Path | None) -> None:
    """It is closed, and nothing hangs that we know of."""
    if mark is not None:
        with contextlib.suppress(OSError):
            mark.unlink()


def _open_marks(name: str) -> Iterator[Path]:
    marks = _folder().glob(f"{_file(_shared(name), 'open-').name}*")
    return (mark for mark in sorted(marks))


def _is_alive(mark: Path) -> bool:
    try:
        pid, started, _ = mark.name.rpartition("open-")[2].split("-")
        return f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except (psutil.Error, ValueError):
        return False


def _shared(name: str) -> str:
    return kind_of(name).lease or name


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
