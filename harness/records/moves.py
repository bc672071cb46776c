# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`promotions.json`: the list moves a run's evidence supports, proposed and not yet made."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.writable import encoded

MOVES_NAME = "promotions.json"


class Move(msgspec.Struct, frozen=True):
    """One proposed change of one list."""

    test: str
    """The list entry: a pytest id without a device."""
    device: str
    move: str
    """`add` or `remove`."""
    list: str
    """The list's name."""
    reason: str
    """One sentence with the evidence."""


def write_moves(run_dir: Path, moves: Sequence[Move]) -> Path:
    """Write the proposals; an empty file says that there are none to make.

    Raises:
        RecordError: the disk is full or gone.
    """
    data = msgspec.json.format(encoded(moves))
    return write_atomically(run_dir / MOVES_NAME, data)


def read_moves(run_dir: Path) -> tuple[Move, ...] | None:
    """Read the proposals; None when nobody has looked for any.

    Raises:
        RecordError: the file is there and is not a list of moves.
    """
    path = run_dir / MOVES_NAME
    if not path.exists():
        return None
    return decode_json(read_bytes(path), tuple[Move, ...], path, "a list of moves")
