# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A memory file that is written again and again and mapped once on the other side.

Fresh memory costs more than what is copied into it: the kernel clears every page, and both sides
fault it in. Whoever writes must know that the other side has done with what was there before.
"""

import mmap
import os

from bringup.harness.devices.wire import create_memory

KEPT = 64 << 20
"""Bytes up to which a file is kept for what comes next; a larger one goes with its use."""
_LEAST = 1 << 20


class Arena:
    """The writer's end."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._size = 0
        self._announced = False

    def reserve(self, size: int) -> int:
        """The descriptor of a file of at least `size` bytes; it stays the arena's."""
        descriptor = self._descriptor
        if descriptor is None or size > self._size or self._size > max(KEPT, 2 * size):
            self.close()
            self._size = max(size, min(max(_LEAST, 2 * size), KEPT))
            descriptor = self._descriptor = create_memory(self._size)
        return descriptor

    def announce(self) -> int | None:
        """A descriptor for the other side, if it has yet to be given one; the caller closes it."""
        if self._announced or self._descriptor is None:
            return None
        self._announced = True
        return os.dup(self._descriptor)

    def close(self) -> None:
        """Let go of the file; the next `reserve` makes another."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._size, self._announced = None, 0, False


class ArenaView:
    """The reader's end."""

    def __init__(self) -> None:
        self._memory: mmap.mmap | None = None

    def take(self, descriptor: int | None) -> None:
        """With a descriptor, look at that file from now on; the descriptor is closed.

        The file before is unmapped when nobody looks at it any more.
        """
        if descriptor is not None:
            try:
                self._memory = mmap.mmap(descriptor, 0)
            finally:
                os.close(descriptor)

    @property
    def memory(self) -> mmap.mmap:
        """What the file holds."""
        assert self._memory is not None, "an arena is announced before it is used"
        return self._memory
