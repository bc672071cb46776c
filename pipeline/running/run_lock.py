# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One run at a time in a run directory, and nobody takes a run up while any of it is alive.

The lock is the kernel's (flock(2)) and ends with the last process that has the file open: the
supervisor, which takes it, and the watchdog and pytest's controller, which inherit it.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

import psutil

from bringup.harness.errors import RecordError
from bringup.harness.records.left_behind import LOCK_NAME
from bringup.harness.storage.atomic import cannot_write
from bringup.harness.storage.ownership import open_plain, refers_to
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.running.leases import who_is_at

NAME = LOCK_NAME
PATIENCE_S = 60.0
"""What a supervisor that was killed leaves behind is gone by then; see `watchdog`."""


class RunLock:
    """Holds a run directory; a context manager."""

    def __init__(self, run_dir: Path, patience_s: float = PATIENCE_S) -> None:
        """Take the lock, once what a killed supervisor left behind is gone.

        A run that several machines share has no lock but participants.

        Raises:
            PipelineError: a supervisor is at work in the directory.
            RecordError: the lock cannot be written.
        """
        refuse_if_shared(run_dir)
        self._path = run_dir / NAME
        self._open()
        end = time.monotonic() + patience_s
        while not self._taken():
            holder = os.pread(self.descriptor, 20, 0).decode("ascii", "replace")
            supervised = holder.isdecimal() and psutil.pid_exists(int(holder))
            if supervised or time.monotonic() > end:
                busy = _busy(run_dir, self.descriptor)
                os.close(self.descriptor)
                raise PipelineError(busy)
            time.sleep(0.2)
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, str(os.getpid()).encode(), 0)

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.descriptor = open_plain(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _taken(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if refers_to(self._path, self.descriptor):
            return True
        os.close(self.descriptor)  # a run that ended meanwhile has taken the file away
        self._open()
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self.descriptor)


def refuse_if_held(run_dir: Path) -> None:
    """Refuse to touch a run directory that is being written.

    It may be a stranger's, or another user's that we can only read: nothing in it is written.

    Raises:
        PipelineError: a run is going on there.
        RecordError: what lies there in a lock's place is none, or cannot be read.
    """
    refuse_if_shared(run_dir)
    path = run_dir / NAME
    try:
        descriptor = open_plain(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PipelineError(_busy(run_dir, descriptor)) from None
    finally:
        os.close(descriptor)


def refuse_if_shared(run_dir: Path) -> None:
    """Refuse to touch a run directory in which participants are at work.

    Raises:
        PipelineError: there is one.
    """
    if name := who_is_at(run_dir):
        raise PipelineError(f"the run in {run_dir} is still going on (participant {name})")


def _busy(run_dir: Path, descriptor: int) -> str:
    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    holder = holder if holder.isdecimal() else "unknown"  # a stranger's file goes to a terminal
    return f"the run in {run_dir} is still going on (process {holder})"
