# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Boards: the real devices of a kind that are in this machine, each of which is leased by itself.

Four n150 in one host are four boards, on which four processes work at a time. A kind whose devices
cannot be told apart, or of which nobody said how a process sees one and no other, is one board.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bringup.harness.devices.catalog import kind_of


@dataclass(frozen=True)
class Board:
    """What one process at a time works on, by the name of its device."""

    device: str
    numbers: tuple[str, ...] = ()
    """What the driver calls it, or each of its parts; none: all that there is."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it is locked by, and remembered by; in the order in which all lock them."""
        shared = kind_of(self.device).lease or self.device
        return tuple(f"{shared}-{number}" for number in sorted(self.numbers)) or (shared,)

    @property
    def title(self) -> str:
        """For people: `n150`, `n150 2`, `n300-llmbox 0+1+2+3`."""
        return f"{self.device} {'+'.join(self.numbers)}".strip()

    def variables(self) -> Mapping[str, str]:
        """By which a device host sees it and no other."""
        return kind_of(self.device).only(self.numbers) if self.numbers else {}


def boards_of(name: str) -> tuple[Board, ...]:
    """The boards of a device that are here; none where any number of processes may share it.

    Where nothing is known of them, one.
    """
    kind = kind_of(name)
    if not kind.exclusive():
        return ()
    numbers = list(kind.boards())
    whole = range(0, len(numbers) - kind.takes + 1, kind.takes)
    return tuple(Board(name, tuple(numbers[i : i + kind.takes])) for i in whole) or (
        Board(name, tuple(numbers)),
    )
