# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run whose supervisor was killed, told from one that is being written.

Whoever supervises a run holds a lock (flock(2)) on a file of its directory, and takes the file away
at the end. The kernel takes the lock away with the last process that has the file.
"""

import fcntl
import os
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.storage.ownership import open_plain

LOCK_NAME = ".lock"
"""Of a run directory: the file that is held."""


def was_left_behind(run_dir: Path) -> bool:
    """Is there the lock of a run, and nobody who holds it? Nothing is written."""
    try:
        descriptor = open_plain(run_dir / LOCK_NAME, os.O_RDONLY)
    except (OSError, RecordError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
