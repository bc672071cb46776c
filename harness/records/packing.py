# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Lines packed with zstd: `NAME.jsonl.zst`, what `zstd -dc` prints."""

from pathlib import Path

import zstandard

from harness.records.decoding import read_bytes, unpacked

PACKED = ".zst"
_LEVEL = 12  # a thirtieth smaller than level 6; a whole night takes 4 s, once
_LARGEST = 512 << 20
"""Bytes: a file that claims to hold more is not unpacked."""


def packed(data: bytes) -> bytes:
    """The bytes, compressed."""
    return zstandard.compress(data, _LEVEL)


def read_lines(path: Path) -> bytes:
    """A file's bytes, unpacked if its name says that it is packed.

    Raises:
        RecordError: it cannot be read or unpacked.
    """
    data = read_bytes(path)
    return unpacked(data, path, _LARGEST) if path.suffix == PACKED else data
