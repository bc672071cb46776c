# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a way up or down to the edits of lists that it asks for."""

from collections.abc import Collection, Iterator

import msgspec

from bringup.harness.records.expected import Expect, Expectation
from bringup.harness.records.moves import Move
from bringup.pipeline.lists.specs import NIGHTLY_FULL, OP_BY_OP_FLOWS, SHIPPED
from bringup.pipeline.promotion.decide import Step
from bringup.pipeline.promotion.ladder import LISTS, RANK, Standing
from bringup.pipeline.promotion.standings import Listed, op_by_op_ids


def moves_of(
    step: Step,
    one: Listed,
    collected: Collection[str] | None = None,
    walked: str = "",
    check_off: Expectation | None = None,
) -> list[Move]:
    """The edits of a step, none where the lists say so already.

    With `collected`, the ids that pytest collects, no other id is added. No test loses its last
    place: where there is nothing to move to, it stays. `walked` is the op-by-op id that ran.

    INCORRECT is a way up only for a test whose check is off: until there is an issue to refer to
    (`check_off`) there is nothing to edit. What an entry expects goes when its test is correct, or
    leaves; a test that was expected to fail stays where somebody put it.
    """
    if step.to is Standing.INCORRECT and check_off is None:
        return []
    if one.says(Expect.XFAIL) and RANK[step.to] <= RANK[Standing.OP_BY_OP]:
        return []
    wanted = [*_wanted(step, one, walked), *_said_anew(step, one, check_off)]
    if step.to is Standing.INCORRECT:
        wanted = [_with_check_off(move, check_off) for move in wanted]
    kept = [m for m in wanted if m.move == "remove" or collected is None or m.test in collected]
    adds = any(m.move == "add" for m in kept)
    return kept if adds or len(kept) < len(one.entries) else []


def _wanted(step: Step, one: Listed, walked: str) -> Iterator[Move]:
    into = LISTS[step.to]
    for spec in into:
        listed = one.on(spec)
        op_by_op = spec.flows == OP_BY_OP_FLOWS
        ids = op_by_op_ids(one, walked) if op_by_op else [one.test]
        for test in ids if op_by_op or not listed else ():
            if test not in listed:
                yield _move(step, test, "add", spec.name)
    for spec in SHIPPED:
        if spec not in into:
            for test in one.on(spec):
                yield _move(step, test, "remove", spec.name)


def _said_anew(step: Step, one: Listed, check_off: Expectation | None) -> Iterator[Move]:
    """Edits of the entries on nightly full that stay, and say something else from now on."""
    for entry in one.entries:
        if entry.list is NIGHTLY_FULL and NIGHTLY_FULL in LISTS[step.to]:
            now = check_off if step.to is Standing.INCORRECT else None
            if entry.expectation != now:
                move = _move(step, entry.test, "add", entry.list.name)
                yield msgspec.structs.replace(move, expectation=now or Expectation())


def _with_check_off(move: Move, check_off: Expectation | None) -> Move:
    if move.move != "add" or move.list != NIGHTLY_FULL.name:
        return move
    return msgspec.structs.replace(move, expectation=check_off)


def _move(step: Step, test: str, move: str, name: str) -> Move:
    return Move(
        test=test,
        device=step.device,
        move=move,
        list=name,
        reason=step.reason,
        key=step.test,
        was=step.was,
        to=step.to,
        evidence=step.evidence,
        owner=step.owner,
    )
