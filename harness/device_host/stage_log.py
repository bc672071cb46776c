# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an op has reached, in memory that host and parent share: a host that dies loses none of it.

A message per stage would do the same, and wake the parent in the middle of its own work five times
an op. Two slots, used in turn: a host may be at its next op before its parent has read the last.
"""

import mmap

import msgspec

from bringup.harness.devices.wire import Reached

SLOTS = 2
_SLOT = 2 << 20
STAGE_LOG_SIZE = SLOTS * _SLOT
"""Bytes; pages that nobody has written are not there."""
_WORD = 8

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reached)


class StageLog:
    """Either end of it.

    A slot is a word that says whether its op was taken up, and entries with their length in front,
    which is written last; a length of zero ends them.
    """

    def __init__(self, descriptor: int) -> None:
        """The memory file of a descriptor, which is not needed any more afterwards."""
        self._memory = mmap.mmap(descriptor, STAGE_LOG_SIZE)
        self._seen: mmap.mmap | bytes = self._memory
        self._slot = self._next = 0

    # --- the parent's ---------------------------------------------------------------------------

    def clear(self, slot: int) -> None:
        """Make a slot ready for an op that is about to be asked for."""
        start = slot * _SLOT
        self._memory[start : start + 2 * _WORD] = bytes(2 * _WORD)

    def taken(self, slot: int) -> bool:
        """Has the host taken the op up?"""
        return self._word(slot * _SLOT) != 0

    def read(self, slot: int) -> list[Reached]:
        """What the op has reached.

        Up to the first entry that makes no sense: a host that dies may have written anywhere.
        """
        found: list[Reached] = []
        at, end = slot * _SLOT + _WORD, (slot + 1) * _SLOT
        while at + _WORD <= end and 0 < (size := self._word(at)) <= end - at - _WORD:
            at += _WORD
            try:
                found.append(_DECODER.decode(self._seen[at : at + size]))
            except (msgspec.MsgspecError, ValueError):  # it is no message, or no text
                break
            at += -(-size // _WORD) * _WORD
        return found

    def freeze(self) -> None:
        """Keep what it says now, whatever the host goes on to write."""
        self._seen = self._memory[:]

    def _word(self, at: int) -> int:
        return int.from_bytes(self._seen[at : at + _WORD], "little")

    # --- the host's -----------------------------------------------------------------------------

    def take(self, slot: int) -> None:
        """Take up the op of a slot; what is noted from now on is its."""
        self._slot, self._next = slot, slot * _SLOT + _WORD
        self._write(slot * _SLOT, 1)

    def note(self, reached: Reached) -> bool:
        """Enter a stage; False if there is no room for it, nor for any after it."""
        entry = _ENCODER.encode(reached)
        start = self._next + _WORD
        following = start + -(-len(entry) // _WORD) * _WORD
        if following + _WORD > (self._slot + 1) * _SLOT:
            self._next = (self._slot + 1) * _SLOT
            return False
        self._memory[start : start + len(entry)] = entry
        self._write(following, 0)
        self._write(self._next, len(entry))
        self._next = following
        return True

    def _write(self, at: int, word: int) -> None:
        self._memory[at : at + _WORD] = word.to_bytes(_WORD, "little")
