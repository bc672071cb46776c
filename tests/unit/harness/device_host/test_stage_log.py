# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an op has reached, between a host that may die at any byte and its parent."""

import os

import pytest

from bringup.harness.device_host.stage_log import STAGE_LOG_SIZE, StageLog
from bringup.harness.devices.wire import Level, Reached, Usage, create_memory
from bringup.harness.records.schema import Stage

COMPILED = Reached(Stage.COMPILE, (Level("ttir", "module {}"),), Usage(0.5, 0.25, 1 << 30))
LOWERED = Reached(Stage.STABLEHLO, (), Usage(1.0, 2.0, 3))
LARGE = Reached(Stage.COMPILE, (Level("ttnn", "x" * (1 << 20)),), Usage(0.5, 0.25, 1 << 30))


@pytest.fixture
def ends() -> tuple[StageLog, StageLog]:
    """The parent's end and the host's."""
    descriptor = create_memory(STAGE_LOG_SIZE)
    both = StageLog(descriptor), StageLog(descriptor)
    os.close(descriptor)
    return both


@pytest.fixture
def at_an_op(ends: tuple[StageLog, StageLog]) -> tuple[StageLog, StageLog]:
    """The parent's end and that of a host at the op of slot 0."""
    parent, host = ends
    parent.clear(0)
    parent.clear(1)
    host.take(0)
    return ends


def test_the_parent_reads_what_the_host_has_noted_slot_by_slot(
    ends: tuple[StageLog, StageLog],
) -> None:
    parent, host = ends
    for slot, noted in ((0, [LOWERED, COMPILED]), (1, [COMPILED]), (0, [COMPILED, LOWERED])):
        parent.clear(slot)
        assert (parent.taken(slot), parent.read(slot)) == (False, [])
        host.take(slot)
        assert (parent.taken(slot), parent.read(slot)) == (True, [])
        assert all(host.note(reached) for reached in noted)
        assert parent.read(slot) == noted
    assert parent.read(1) == [COMPILED], "the other slot is another op's"


def test_what_finds_no_room_is_refused_and_so_is_all_after_it(
    at_an_op: tuple[StageLog, StageLog],
) -> None:
    parent, host = at_an_op
    assert [host.note(reached) for reached in (LOWERED, LARGE, LARGE, LOWERED)] == [
        True,
        True,
        False,
        False,
    ]
    assert parent.read(0) == [LOWERED, LARGE]
    assert (parent.taken(1), parent.read(1)) == (False, [])
    parent.clear(0)
    host.take(0)
    assert host.note(COMPILED), "the next op has all the room again"


def test_a_host_that_wrote_anywhere_costs_what_it_wrote_over(
    at_an_op: tuple[StageLog, StageLog],
) -> None:
    parent, host = at_an_op
    host.note(LOWERED)
    host.note(COMPILED)
    after_the_first = parent._memory.find(b"ttir")
    parent._memory[after_the_first - 30 : after_the_first] = b"\xc1" * 30
    assert parent.read(0) == [LOWERED]
    parent._memory[8:16] = b"\xff" * 8
    assert parent.read(0) == []


def test_a_frozen_log_says_what_it_said(at_an_op: tuple[StageLog, StageLog]) -> None:
    parent, host = at_an_op
    host.note(LOWERED)
    parent.freeze()
    host.note(COMPILED)
    assert parent.read(0) == [LOWERED]
