# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Durable writing, in one place: write to a neighbour, then rename."""

import os
import secrets
from pathlib import Path

from bringup.harness.errors import RecordError


def write_atomically(path: Path, data: bytes, *, sync: bool = True) -> Path:
    """Write a whole file or nothing, and with `sync` have it on disk before returning.

    Raises:
        RecordError: the disk is full or gone.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        try:
            _write_whole(temporary, data, sync=sync)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}") from error
    return path


def _write_whole(path: Path, data: bytes, *, sync: bool) -> None:
    descriptor = _create(path)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path) -> int:
    """A new file, open for writing; its folder is made when it turns out to be absent."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)
