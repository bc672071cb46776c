# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Memory that two processes share is made once, announced once, and not kept when it is large."""

import os

from bringup.harness.device_host.arena import KEPT, Arena, ArenaView


def size_of(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def test_what_fits_goes_where_the_last_one_went_and_is_announced_once() -> None:
    arena, view = Arena(), ArenaView()
    first = arena.reserve(100)
    view.take(arena.announce())
    os.pwrite(first, b"one", 0)
    assert view.memory[:3] == b"one"
    assert arena.reserve(size_of(first)) == first
    assert arena.announce() is None
    os.pwrite(first, b"two", 0)
    view.take(None)
    assert view.memory[:3] == b"two"
    arena.close()


def test_what_does_not_fit_has_a_file_of_its_own_and_the_one_before_stays_as_it_is() -> None:
    arena, view = Arena(), ArenaView()
    small = arena.reserve(0)
    view.take(arena.announce())
    os.pwrite(small, b"small", 0)
    before = view.memory
    large = arena.reserve(size_of(small) + 1)
    view.take(arena.announce())
    os.pwrite(large, b"large", 0)
    assert before[:5] == b"small" and view.memory[:5] == b"large"
    arena.close()


def test_a_large_file_is_let_go_of_when_little_is_asked_for() -> None:
    arena = Arena()
    assert size_of(arena.reserve(3 * KEPT)) == 3 * KEPT
    assert size_of(arena.reserve(2 * KEPT)) == 3 * KEPT
    assert size_of(arena.reserve(1)) <= KEPT
    arena.close()
    assert arena.announce() is None
