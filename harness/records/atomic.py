# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Durable writing, in one place: write to a neighbour, then rename."""

import os
import tempfile
from pathlib import Path

from harness.errors import RecordError


def write_atomically(path: Path, data: bytes, *, sync: bool = True) -> Path:
    """Write a whole file or nothing, and with `sync` have it on disk before returning.

    Raises:
        RecordError: the disk is full or gone.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}") from error
    return path
