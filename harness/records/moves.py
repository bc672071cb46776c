# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`promotions.json`: the list moves a run's evidence supports, proposed and not yet made."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.records.expected import Expectation
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.writable import encoded

MOVES_NAME = "promotions.json"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a test's move, or its staying, in numbers of its history.

    Attempts are uncached runs of its full flow, reruns of a night included; `good` is as good as
    is asked of where it stands, or would go.
    """

    good: int = 0
    """Good attempts in the window of the policy."""
    bad: int = 0
    in_a_row: int = 0
    """Attempts at the end, all good for a way up, all bad for a way down."""
    nights: int = 0
    """Nights of those."""
    since: float = 0.0
    """When those began, in seconds since the epoch; 0 without any."""
    needed: int = 0
    """Attempts one after another that the move needs by now."""
    nights_needed: int = 0
    """Nights that they have to come from."""
    flake_rate: float = 0.0
    """Of bad attempts before those at the end."""
    run: str = ""
    """The newest run that counts."""
    versions: str = ""
    """What it ran with, a key into the history's table of versions."""

    @property
    def more(self) -> int:
        """Attempts that are missing yet."""
        return max(self.needed - self.in_a_row, 0)

    @property
    def more_nights(self) -> int:
        """Nights that are missing yet."""
        return max(self.nights_needed - self.nights, 0)


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
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
    key: str = ""
    """`Identity.key` of the test's full flow; moves of one key belong together."""
    was: str = ""
    """Where it stood (`pipeline.promotion.ladder.Standing`)."""
    to: str = ""
    """Where it goes."""
    evidence: Evidence = Evidence()
    owner: str = ""
    """By the policy's groups."""
    expectation: Expectation | None = None
    """Of an `add`: what the entry says beside its test."""


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
