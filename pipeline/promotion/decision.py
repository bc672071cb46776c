# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A history and the lists in, what is to be edited out; beside it what is not yet, and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bringup.harness.records.expected import Expectation
from bringup.harness.records.moves import Evidence, Move
from bringup.harness.records.naming import entry_of, identity_of
from bringup.pipeline.history.judge.columns import Columns, columns_of
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.lists import Lists
from bringup.pipeline.promotion.account import Account, account_of, accounts_of
from bringup.pipeline.promotion.decide import Step, held_back, propose
from bringup.pipeline.promotion.ladder import RISING, Standing
from bringup.pipeline.promotion.moving import moves_of
from bringup.pipeline.promotion.policy import Policy
from bringup.pipeline.promotion.standings import (
    FULL,
    Identify,
    Listed,
    compile_only_of,
    compiling,
    full_flows,
    listed_tests,
    ops_compile,
    places_of_tests,
    walks,
    with_flow,
)
from bringup.pipeline.promotion.weighing import Place


@dataclass(frozen=True)
class Situation:
    """What nights and lists say of all tests: the input of `propose` and `account_of`."""

    columns: Columns
    """Of full flows."""
    samples: Sequence[Sample]
    """Of all flows."""
    listed: Mapping[str, Listed]
    places: Mapping[str, Place]
    policy: Policy
    compile_only: Collection[str]
    ops_compile: Collection[str]
    walks: Mapping[str, Sample]

    def account(self, test: str) -> Account:
        """What there is to say of one test, by the key of its full flow."""
        return account_of(
            self.columns, test, self.places, self.policy, self.compile_only, self.ops_compile
        )


@dataclass(frozen=True)
class Decision:
    """What a night's evidence is enough for, and for what it is not yet."""

    moves: tuple[Move, ...]
    steps: tuple[Step, ...]
    waiting: tuple[Account, ...]
    """Tests of the newest run that may go up and do not move, and those that would go down if their
    device were known to be well."""
    to_disable: tuple[Step, ...]
    """Tests that run and are incorrect for good: their check is to be disabled, with an issue."""


def situation_of(
    samples: Sequence[Sample],
    lists: Lists,
    policy: Policy,
    identify: Identify = identity_of,
    skipped: Collection[str] = (),
) -> Situation:
    """Put together what decides."""
    full = full_flows(samples)
    listed = listed_tests(lists, identify)
    places = places_of_tests(listed, full, skipped)
    newest = {s.test: s for s in sorted(full, key=lambda s: s.at) if not s.excluded}
    only = compile_only_of(samples, places)
    fallen = {step.test for step in _no_longer_compiles(full, places, policy, only)}
    return Situation(
        columns=columns_of(full),
        samples=samples,
        listed=listed,
        places=places,
        policy=policy,
        compile_only=only,
        ops_compile=ops_compile(samples, newest) - fallen,
        walks=walks(samples),
    )


def decide(
    situation: Situation,
    collected: Collection[str] | None = None,
    checks_off: Mapping[str, Expectation] | None = None,
) -> Decision:
    """The edits that the evidence is enough for, in a stable order; `collected` as `moves_of`.

    `checks_off` are, by key, the checks that can be disabled since an issue tracks them.
    """
    off = checks_off or {}
    s = situation
    steps = propose(s.columns, s.places, s.policy, s.compile_only, s.ops_compile)
    moving = {step.test for step in steps}
    full = full_flows(s.samples)
    steps += [
        step
        for step in _no_longer_compiles(full, s.places, s.policy, s.compile_only)
        if step.test not in moving and step.was is not step.to
    ]
    steps += _only_walked(s)
    steps.sort(key=lambda step: step.test)
    moves: list[Move] = []
    for step in steps:
        one = s.listed.get(step.test) or _unlisted(s, step)
        walk = s.walks.get(step.test)
        walked = entry_of(walk.nodeid, walk.device) if walk and walk.nodeid else ""
        moves += moves_of(step, one, collected, walked, off.get(step.test)) if one else []
    edited = {move.key for move in moves}
    return Decision(
        moves=tuple(moves),
        steps=tuple(steps),
        waiting=tuple(_waiting(s, edited)),
        to_disable=tuple(
            step for step in steps if step.to is Standing.INCORRECT and step.test not in edited
        ),
    )


def _no_longer_compiles(
    full: Sequence[Sample],
    places: Mapping[str, Place],
    policy: Policy,
    compile_only: Collection[str],
) -> list[Step]:
    """Tests on e2e compile of devices that execute, and whose compiling is broken for good: what is
    asked of them is what is asked where a device only compiles."""
    mine = [s for s in compiling(full) if s.device not in compile_only]
    asked = {s.test: Place(Standing.COMPILE) for s in mine}
    found = propose(mine, asked, policy, {s.device for s in mine}) if mine else []
    steps = []
    for step in found:
        was = places.get(step.test, Place(Standing.NEW)).standing
        if was in (Standing.COMPILE, Standing.OP_BY_OP_COMPILE):
            steps.append(
                Step(step.test, step.device, was, Standing.OP_BY_OP, step.reason, step.evidence)
            )
    return steps


def _only_walked(s: Situation) -> list[Step]:
    """Tests on no list that went op by op, and of which nothing is known end to end."""
    known = set(s.columns.test.words) | s.places.keys()
    reason = "went op by op to the end; nothing is known of it end to end"
    return [
        Step(key, walk.device, Standing.NEW, Standing.OP_BY_OP, reason, Evidence(run=walk.run))
        for key, walk in sorted(s.walks.items())
        if key not in known
    ]


def _unlisted(s: Situation, step: Step) -> Listed | None:
    """A test that is on no list, by the id that it ran under; None where nobody wrote that down."""
    newest = [x for x in s.samples if x.test == step.test and x.nodeid]
    walk = s.walks.get(step.test)
    newest = newest or ([walk] if walk and walk.nodeid else [])
    if not newest:
        return None
    entry = entry_of(newest[-1].nodeid, step.device)
    if "::" not in entry:
        return None
    return Listed(step.test, with_flow(entry, FULL) or entry, step.device, ())


def _waiting(s: Situation, edited: Collection[str]) -> list[Account]:
    newest = max((x.at for x in s.samples), default=0.0)
    tonight = {x.test for x in full_flows(x for x in s.samples if x.at == newest)}
    below = [
        test
        for test in sorted(tonight - set(edited))
        if s.places.get(test, Place(Standing.NEW)).standing in RISING
        and not (test.rpartition("@")[2] in s.compile_only and _at_top(s, test))
    ]
    back = held_back(s.columns, s.places, s.policy, s.compile_only) if len(s.columns) else []
    below = sorted({*below, *(test for test in back if test in tonight)})
    return accounts_of(s.columns, below, s.places, s.policy, s.compile_only, s.ops_compile)


def _at_top(s: Situation, test: str) -> bool:
    return test in s.places and s.places[test].standing is Standing.COMPILE
