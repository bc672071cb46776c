# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What nights come to for the lists: their samples are brought together, decided, and told."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.door import command
from bringup.harness.records.moves import Move, write_moves
from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.storage.writable import said_by
from bringup.pipeline.errors import HistoryError, PipelineError
from bringup.pipeline.history.samples import AT_THE_DESK, Sample
from bringup.pipeline.history.store.tables import NOWHERE, Run
from bringup.pipeline.lists.lists import Lists
from bringup.pipeline.messages import Speaker
from bringup.pipeline.planning.collect import Collected
from bringup.pipeline.planning.selection import NIGHTLY
from bringup.pipeline.promotion.account import Account
from bringup.pipeline.promotion.decide import attempts_wanted
from bringup.pipeline.promotion.decision import Decision, decide, situation_of
from bringup.pipeline.promotion.ladder import RANK
from bringup.pipeline.promotion.policy import Policy, policy_of
from bringup.pipeline.promotion.standings import full_flows, key_of
from bringup.pipeline.promotion.thresholds import Threshold, held_to, thresholds
from bringup.pipeline.results.confirm import Reruns
from bringup.pipeline.results.incidents import issues_of_tests
from bringup.pipeline.results.list_change import checks_off
from bringup.pipeline.results.remember import remember

RUNS_A_NIGHT = 3
"""Runs at most that are read for each night of a window, those of other sessions among them."""
MOST_SHOWN = 20
MOST_AT_THE_DESK = 20
"""The newest runs at the desk that are read."""


@dataclass(frozen=True)
class Asked:
    """Whose lists, by which nights."""

    lists: Path
    history: str
    """Its address."""
    run_dir: Path | None = None
    """A merged run that counts, and after which nothing does; None: all of the history."""


def samples_of(
    asked: Asked,
    window: int,
    nights: int | None = None,
    listed: Collection[str] | None = None,
    *,
    empty: bool = False,
) -> list[Sample]:
    """The samples that decide, of a run and the runs of nights before it; else of all nights.

    `window` nights are read, and `nights` more where somebody looks back. With `listed`, the keys
    of full flows on lists, what was run at the desk counts for all other tests. With `empty` a
    history that has nothing gives nothing.

    Raises:
        RecordError: the run directory is no merged run, or the aliases cannot be read.
        HistoryError: the history cannot be read, or it has nothing and no run is named.
    """
    from bringup.pipeline.history.store.history import History  # with it comes the database
    from bringup.pipeline.history.store.read import samples

    aliases = read_aliases(asked.lists)
    history = History(asked.history) if asked.history != NOWHERE else None
    header = read_merged(asked.run_dir)[0] if asked.run_dir else None
    known = history.runs() if history else []
    if header is not None:
        known = [r for r in known if (r.created, r.run) < (header.created, header.run_id)]
    elif not known and not empty:
        raise HistoryError("there is no run to decide by: the history is empty; name a run")
    chosen = _nights([r for r in known if r.session not in AT_THE_DESK], window + (nights or 0))
    found = samples(history, chosen, None, aliases) if history and chosen else []
    if history and header is None and listed is not None:
        desk = [r for r in known if r.session in AT_THE_DESK][-MOST_AT_THE_DESK:]
        tried = samples(history, desk, None, aliases) if desk else []
        found += [s for s in tried if key_of(s.test) not in listed]
    if asked.run_dir is not None:
        with tempfile.TemporaryDirectory(prefix="bringup-promote-") as scratch:
            alone = History(f"{scratch}/history")
            alone.add(asked.run_dir)
            found += samples(alone, None, None, aliases)
    return found


def _nights(runs: Sequence[Run], most: int) -> Sequence[Run]:
    """The newest nights, and what other sessions ran meanwhile."""
    nightly = [r for r in runs if r.session == NIGHTLY][-most:]
    oldest = nightly[0].created if nightly else 0.0
    return [r for r in runs if r.created >= oldest][-RUNS_A_NIGHT * most :]


def thresholds_of(
    asked: Asked,
    policy: Policy,
    xfailed: Collection[str] = (),
    tracked: Mapping[str, str] | None = None,
) -> list[Threshold]:
    """What the tests of a run could be held to, by the nights of history up to it.

    Args:
        xfailed: Keys of tests that are expected to fail.
        tracked: By key, the issue that tracks that a threshold does not hold.

    Raises:
        RecordError, HistoryError: something cannot be read.
    """
    from bringup.pipeline.history.store.history import History  # with it comes the database
    from bringup.pipeline.history.store.outputs import nearness

    if asked.run_dir is None or asked.history == NOWHERE:
        return []
    header, records = read_merged(asked.run_dir)
    history = History(asked.history)
    known = [r for r in history.runs() if (r.created, r.run) <= (header.created, header.run_id)]
    chosen = [r for r in known if r.session not in AT_THE_DESK]
    held = held_to(r for r in latest(records) if not is_op_by_op(r.identity))
    tests = sorted({test for test, _ in held})
    recent = _nights(chosen, policy.thresholds.nights)
    found = nearness(history, recent, tests, read_aliases(asked.lists)) if recent else []
    return thresholds(found, held, policy.thresholds, xfailed, tracked)


@dataclass(frozen=True)
class Night:
    """A night that has been run: what more of it is wanted, and what it comes to for the lists.

    What goes wrong with the history or the policy is a warning, and costs the run nothing.
    """

    asked: Asked
    run_dir: Path
    lists: Lists | None
    """None of a session without lists, which moves nothing."""
    collected: Collected

    def attempts_wanted(self) -> Mapping[str, int]:
        """How many attempts each test wanted, by what was known before this run."""
        if self.lists is None:
            return {}
        try:
            policy = policy_of(self.asked.lists)
            run_id = read_merged(self.run_dir)[0].run_id
            found = samples_of(self.asked, policy.evidence.window)
        except PipelineError:
            return {}  # whatever it is, it is said when moves are proposed
        before = [s for s in found if s.run != run_id]
        s = situation_of(before, self.lists, policy, self.collected.identify)
        return attempts_wanted(s.columns, s.places, policy, s.compile_only)

    def try_more(self, again: Reruns, say: Speaker) -> None:
        """Run again what may go up, and let the history know.

        Raises:
            RecordError: the disk is full or gone.
        """
        if self.lists is None or not again.budget_s:
            return
        try:
            policy = policy_of(self.asked.lists)
            own = samples_of(replace(self.asked, history=NOWHERE), policy.evidence.window)
        except PipelineError:
            return
        if again.try_more(full_flows(own), policy.probe.budget_s):
            remember(self.run_dir, self.asked.history, say)

    def propose(self, say: Speaker) -> None:
        """Write the moves beside the run's records, and tell them.

        Raises:
            RecordError: the disk is full or gone.
        """
        if self.lists is None:
            return
        try:
            policy = policy_of(self.asked.lists)
            found = _samples_or_alone(self.asked, policy.evidence.window, say)
            off = checks_off(self.run_dir, issues_of_tests(self.asked.lists))
        except PipelineError as error:
            say(f"warning: no list moves are proposed: {said_by(error)}")
            return
        situation = situation_of(found, self.lists, policy, self.collected.identify)
        decision = decide(situation, self.collected.ids, off)
        path = write_moves(self.run_dir, decision.moves)
        tell(decision, say)
        say(f"wrote {path}")
        if decision.moves:
            say(f"`{command('promote', str(self.run_dir), '--write')}` makes these moves")


def _samples_or_alone(asked: Asked, window: int, say: Speaker) -> list[Sample]:
    try:
        return samples_of(asked, window)
    except HistoryError as error:
        say(f"warning: lists are judged by this run alone: {said_by(error)}")
        return samples_of(replace(asked, history=NOWHERE), window)


def tell(decision: Decision, say: Speaker) -> None:
    """One line for each proposal, with its reason, and for each test that is not so far."""
    print_moves(decision.moves, say)
    for step in decision.to_disable:
        say(
            f"incorrect for good: {step.test}: {step.reason}; disable the failing check with a "
            "reference to an issue, and it can stand on nightly full"
        )
    waiting = [one for one in decision.waiting if one.ways or one.blocked]
    for one in waiting[:MOST_SHOWN]:
        say(f"not yet: {one.test}: {missing(one)}")
    if waiting[MOST_SHOWN:]:
        say(f"and {len(waiting) - MOST_SHOWN} more that do not move yet")


def missing(account: Account) -> str:
    """What a test needs before it moves, in one sentence."""
    if account.blocked:
        return f"stands on {account.standing}; {account.blocked[0]}"
    up = (way for way in account.ways if RANK[way.to] > RANK[account.standing])
    way = next(up, None)
    says = f"{way.says} to {way.to}" if way else "nothing speaks for a way up yet"
    return f"stands on {account.standing}; {says}"


def print_moves(moves: Sequence[Move], say: Speaker) -> None:
    """One line for each edit, with its reason."""
    if not moves:
        say("no list moves are proposed")
    for move in moves:
        preposition = "to" if move.move == "add" else "from"
        say(f"{move.move} {move.test} {preposition} {move.list} on {move.device}: {move.reason}")
