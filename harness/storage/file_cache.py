# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What took long to compute, kept by its key: a file an entry, shared by all that have the folder.

A file is a digest over key and content, and the content, packed. It is written beside and renamed,
so that two writers, or one that is killed, leave a whole file or none; whatever else has become of
a file (a power cut, a full disk, somebody's editor) the digest tells, and it is as if it were not
there. No method raises: what cannot be read is a miss, and what cannot be written is not kept.
"""

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import zstandard

from bringup.harness.errors import RecordError
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import read_bytes, unpacked

_KEY = re.compile(r"[0-9a-f]{64}")
_DIGEST_SIZE = 32
_LARGEST = 1 << 30
"""Bytes of an entry: one that claims to be larger is damaged."""
_DAY_S = 86400.0
_HALF_WRITTEN_S = 3600.0
"""A younger file of another name may still be being written."""


class Left(NamedTuple):
    """What pruning left, and took."""

    kept: int
    removed: int
    size: int
    """Bytes."""


def _complain(sentence: str) -> None:
    print(sentence, file=sys.stderr)


class FileCache:
    """Entries below a folder, by keys that are sha256 digests in hex.

    That nothing can be kept is handed to `complain`, once.
    """

    def __init__(self, folder: Path, complain: Callable[[str], None] = _complain) -> None:
        self.folder = folder
        self._complain = complain
        self._writes = True

    def get(self, key: str) -> bytes | None:
        """What was put under a key; None where nothing was, or not all of it is left."""
        path = self.path(key)
        try:
            whole = read_bytes(path)
            if _digest(key, whole[_DIGEST_SIZE:]) != whole[:_DIGEST_SIZE]:
                return None
            content = unpacked(whole[_DIGEST_SIZE:], path, _LARGEST)
        except RecordError:
            return None
        _mark_used(path)
        return content

    def put(self, key: str, content: bytes) -> bool:
        """Keep it; False where that cannot be done."""
        if not self._writes or len(content) > _LARGEST:
            return False
        packed = zstandard.compress(content)
        try:
            write_atomically(self.path(key), _digest(key, packed) + packed, sync=False)
        except (RecordError, OSError) as error:
            self._writes = False
            self._complain(f"{error}; what is kept from run to run is read, and nothing added")
            return False
        return True

    def forget(self, key: str) -> None:
        """Have no entry under a key; one that cannot be removed stays."""
        with contextlib.suppress(OSError):
            self.path(key).unlink()

    def prune(self, max_age_s: float, max_bytes: int) -> Left:
        """Remove what nobody used for so long, then what was not used for longest above a size.

        Others may use the folder meanwhile: what is taken away is a miss to them.
        """
        now = time.time()
        found = sorted(self._entries(now), reverse=True)  # the latest first
        total = kept = 0
        for used, size, path in found:
            if (now - used > max_age_s or total + size > max_bytes) and _removed(path):
                continue
            total, kept = total + size, kept + 1
        return Left(kept, len(found) - kept, total)

    def _entries(self, now: float) -> list[tuple[float, int, Path]]:
        """When each was used, its bytes and its file; what a dead writer left is removed."""
        found = []
        for path in _below(self.folder):
            with contextlib.suppress(OSError):
                about = path.lstat()
                if _KEY.fullmatch(path.name):
                    found.append((min(about.st_mtime, now), about.st_size, path))
                elif now - about.st_mtime > _HALF_WRITTEN_S:
                    path.unlink()
        return found

    def path(self, key: str) -> Path:
        """The file of a key."""
        assert _KEY.fullmatch(key), "a key is a sha256 digest in hex"
        return self.folder / key[:2] / key


def _below(folder: Path) -> list[Path]:
    """The files that we can see; none in a folder that hides them."""
    try:
        return list(folder.glob("??/*"))
    except OSError:
        return []


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _digest(key: str, packed: bytes) -> bytes:
    return hashlib.sha256(key.encode() + packed).digest()


def _mark_used(path: Path) -> None:
    """Set a file's time, to within a day: a night would else write to every file that it reads."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _DAY_S:
            os.utime(path)
