# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Lines packed with zstd: `NAME.jsonl.zst`, what `zstd -dc` prints.

A packed file may be a stranger's, so there is a bound to what it may hold. What is larger is
never packed: writer and reader have the same bound.
"""

from pathlib import Path

import zstandard

from bringup.harness.errors import StorageError
from bringup.harness.storage.decoding import read_bytes, unpacked

PACKED = ".zst"
_LEVEL = 9  # 1.5 % larger than by level 12, in half the time; a whole night takes 2 s
LARGEST = 512 << 20
"""Bytes: more are not packed, and a file that claims to hold more is not unpacked."""


def packed(data: bytes) -> bytes | None:
    """The bytes, compressed and tried: they come out again. None when they are too many."""
    if len(data) > LARGEST:
        return None
    found = zstandard.compress(data, _LEVEL)
    if zstandard.decompress(found) != data:
        raise StorageError(f"{len(data)} bytes did not come out of their packing as they went in")
    return found


def read_lines(path: Path) -> bytes:
    """A file's bytes, unpacked if its name says that it is packed.

    Raises:
        RecordError: it cannot be read or unpacked.
    """
    data = read_bytes(path)
    return unpacked(data, path, LARGEST) if path.suffix == PACKED else data
