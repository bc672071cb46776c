# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Temporary folders that do not outlive a process killed with SIGKILL for ever.

Whoever makes one holds a lock on it (flock(2) on the folder itself), which ends with the process,
whatever ends that, and holds across containers that share a temporary directory, where a process
number would not. `sweep`, at the start of a run, removes those that nobody holds any more.
"""

import fcntl
import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path
from typing import Self

_PREFIX = "bringup-held-"
_FRESH_S = 60.0
"""A younger folder may not have been locked yet."""


class Scratch:
    """A temporary folder, `path`; a context manager."""

    def __init__(self, purpose: str) -> None:
        """Make it; `purpose` becomes part of its name."""
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-"))
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._remove = weakref.finalize(self, _remove, self.path, descriptor, os.getpid())

    def cleanup(self) -> None:
        """Remove it with all that is in it; a second time is no error."""
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()


def _remove(path: Path, descriptor: int, maker: int) -> None:
    """A process that `maker` forked off inherits this call, and runs it when it ends."""
    if os.getpid() == maker:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def sweep(fresh_s: float = _FRESH_S) -> None:
    """Remove this user's folders whose makers are gone, but for those younger than `fresh_s`."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, or gone this moment
            continue
        try:
            found = os.fstat(descriptor)
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime >= fresh_s:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:  # somebody holds it
            continue
        finally:
            os.close(descriptor)
