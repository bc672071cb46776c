# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Durable writing, in one place: write to a neighbour, then rename."""

import errno
import os
import secrets
from pathlib import Path

from bringup.harness.errors import RecordError, StorageError

_OF_THE_PLACE = (
    *(errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY),
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
)
"""The place that was named is wrong, and not the machine."""


def write_atomically(path: Path, data: bytes, *, sync: bool = True) -> Path:
    """Write a whole file or nothing, and with `sync` have it on disk before returning.

    Raises:
        StorageError: the disk is full or gone.
        RecordError: no file can be there, or not for us.
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
        raise cannot_write(path, error) from error
    return path


def cannot_write(what: object, error: OSError, doing: str = "write") -> RecordError:
    """The error to raise when `what` cannot be written: whose fault it is, errno tells."""
    kind = RecordError if error.errno in _OF_THE_PLACE else StorageError
    return kind(f"cannot {doing} {what}: {error.strerror}")


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
