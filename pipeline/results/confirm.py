# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`--confirm`: a night's new failures are run again at once, between runs of a control.

What is run, and what it comes to, is decided in `pipeline/history/judge/confirmation`. Each round
is a run of its own below the night's directory, `confirm/ATTEMPT-1` to `-5`: control, suspects,
control, suspects, control, one test at a time, with the verdict cache off. Where promotion wants
more attempts there are more rounds: of a test that fails by chance now and then until it is good or
has failed often enough to be taken off its list, and of one that may go up until it fails or has
been good often enough for tonight. A shard's rounds have its number in front, `2-of-5-1-3`, so that
those of all shards lie side by side where they are merged.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.night import Judgement, NightVerdict
from bringup.harness.records.outcomes import latest, shown
from bringup.harness.records.run_dir import (
    CONFIRM_FOLDER,
    HEADER_NAME,
    read_merged,
    read_ops,
    write_plan,
)
from bringup.harness.records.schema import GOOD, OpResult, Outcome, Plan, PlannedTest
from bringup.harness.records.variable_names import NO_CACHE_VARIABLE, RECHECK_VARIABLE
from bringup.pipeline.history.judge import confirmation
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.specs import PROBE
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.results.elsewhere import avoiding, boards_by_test, works_elsewhere
from bringup.pipeline.results.merge import finish, rounds_id
from bringup.pipeline.running.engine import End, Engine
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Settings

NIGHTLY_S = 600.0
"""Seconds that a night may spend on it, unless somebody says otherwise."""
Confirm = Callable[[NightVerdict, Sequence[Sample]], Mapping[str, Judgement]]
"""From a verdict and the night's samples to what its new failures are, by test."""
_ROUND = re.compile(r"((?:\d+-of-\d+-)?\d{1,9})-(\d{1,9})")
"""Of a shard's, or a run's, attempt the rounds that confirm; those with `more` are no such."""


def confirm_seconds(options: RunOptions, session: str) -> float:
    """Seconds that a run of all shards together may spend on it."""
    usual = NIGHTLY_S if session == "nightly" else 0.0
    return usual if options.confirm_s is None else options.confirm_s


class _Silent:
    """Watches nothing: reruns are told when all are done."""

    def update(self, ledger: Ledger, finished: list[str]) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Reruns:
    """How a night's tests can be run again."""

    plan: Plan
    settings: Settings
    engine: Engine
    budget_s: float
    say: Speaker
    wanted: Callable[[], Mapping[str, int]] = dict
    """How many attempts in all promotion wants of a test tonight, by key
    (`pipeline.promotion.decide.attempts_wanted`); asked only if something is run again."""

    def confirm(self, verdict: NightVerdict, own: Sequence[Sample]) -> Mapping[str, Judgement]:
        """What the new failures are, by test, of those that reruns settle.

        A night without a baseline has nothing that is new; `own` are the night's samples.

        Raises:
            RecordError: the disk is full or gone.
        """
        if verdict.baseline is None:
            return {}
        seconds = {s.test: s.seconds for s in own if s.seconds}
        return self.settle(confirmation.suspects_of(verdict, seconds), own)

    def settle(
        self, suspects: Sequence[confirmation.Suspect], own: Sequence[Sample]
    ) -> Mapping[str, Judgement]:
        """What failures are that are run again, by test, of those that reruns settle.

        Args:
            suspects: The most urgent first.
            own: The run's samples.

        Raises:
            RecordError: the disk is full or gone.
        """
        if not self.budget_s:
            return {}
        known = {test.identity.key: test for test in self.plan.tests}
        seconds = {s.test: s.seconds for s in own if s.seconds and s.test in known}
        controls = [
            confirmation.Control(s.test, s.device, seconds[s.test])
            for s in own
            if s.good and not s.excluded and s.test in seconds
            if not is_op_by_op(known[s.test].identity)
        ]
        again = [s for s in suspects if s.test in known and known[s.test].list_name != PROBE]
        confirming = confirmation.plan(again, controls, self._most_s(self.budget_s))
        for test, why in confirming.left_out.items():
            self.say(f"not run again: {test}: {why}")
        if not confirming.confirmations:
            return {}
        count = sum(len(one.tests) for one in confirming.confirmations)
        took = sum(one.seconds for one in confirming.confirmations)
        noun = "new failure" if count == 1 else "new failures"
        self.say(f"running {count} {noun} again, about {took:.0f} s and five starts of pytest")
        outcomes: dict[str, list[tuple[str, Outcome]]] = defaultdict(list)
        for number, tests in enumerate(_rounds(confirming), start=1):
            if not self._run(f"{number}", [known[t] for t in tests], outcomes):
                break
        else:
            self._until_sure(confirming, seconds, known, outcomes)
        found = confirmation.confirmed(confirming, outcomes)
        for test, word in found.items():
            self.say(f"run again: {test}: {word}")
        self._tell_elsewhere(found)
        return found

    def _tell_elsewhere(self, tests: Iterable[str]) -> None:
        """Say of which tests a board is to blame."""
        good: dict[str, set[str]] = defaultdict(set)
        for folder in (self.settings.run_dir / CONFIRM_FOLDER).glob(f"{self.plan.attempt}-*"):
            for test, boards in boards_by_test(folder, good=True).items():
                good[test] |= boards
        failed = self._failed_on
        for test in tests:
            if said := works_elsewhere(test, failed.get(test, set()), good[test]):
                self.say(said)

    @property
    def _failed_on(self) -> Mapping[str, set[str]]:
        return boards_by_test(self.settings.run_dir, good=False)

    def _until_sure(
        self,
        confirming: confirmation.Confirming,
        seconds: Mapping[str, float],
        known: Mapping[str, PlannedTest],
        outcomes: Mapping[str, list[tuple[str, Outcome]]],
    ) -> None:
        """Further rounds, each between controls, of what only failed and needs more failures."""
        wanted, left = (
            self.wanted(),
            self._most_s(self.budget_s - sum(c.seconds for c in confirming.confirmations)),
        )
        rounds = 2 * confirmation.RERUNS + 1
        while True:
            again = [
                (test, one.control)
                for one in confirming.confirmations
                for test in one.tests
                if _only_failed(outcomes[one.device], test, wanted.get(test, 0))
            ]
            controls = sorted({control for _, control in again})
            tests = [*(test for test, _ in again), *controls]
            left -= sum(seconds[t] for t in tests)
            if not again or left < 0:
                return
            rounds += 1
            if not self._run(f"{rounds}", [known[t] for t in tests], outcomes):
                return

    def try_more(self, own: Sequence[Sample], budget_s: float) -> bool:
        """Run probes that were good tonight again, until they fail or that is enough.

        True when anything was run, so that the run's history is to be taken anew.

        Raises:
            RecordError: the disk is full or gone.
        """
        known = {t.identity.key: t for t in self.plan.tests if t.list_name == PROBE}
        rising = [s for s in own if s.good and s.test in known and s.passed and not s.failed]
        if not rising or not budget_s or not self.budget_s:
            return False
        wanted, done = self.wanted(), {s.test: s.passed for s in rising}
        left = self._most_s(budget_s)
        costs = {s.test: s.seconds or 0.0 for s in rising}
        rounds = 0
        while more := [
            t for t in sorted(done, key=costs.__getitem__) if done[t] < wanted.get(t, 0)
        ]:
            taken: list[str] = []
            for test in more:
                if costs[test] <= left:
                    left -= costs[test]
                    taken.append(test)
            if not taken:
                break
            if not rounds:
                noun = "test" if len(more) == 1 else "tests"
                self.say(f"running {len(more)} {noun} again that may go up")
            rounds += 1
            outcomes: dict[str, list[tuple[str, Outcome]]] = defaultdict(list)
            if not self._run(f"more-{rounds}", [known[t] for t in taken], outcomes):
                break
            good = {key for ran in outcomes.values() for key, o in ran if o in GOOD}
            done = {t: n + 1 for t, n in done.items() if t in good}
        return rounds > 0

    def _most_s(self, seconds: float) -> float:
        """So long, or what is left of the run's own time."""
        return max(min(seconds, self.settings.left_s), 0.0)

    def _run(
        self,
        number: str,
        tests: Sequence[PlannedTest],
        outcomes: Mapping[str, list[tuple[str, Outcome]]],
    ) -> bool:
        """One round; False when it was interrupted, and no other is to follow."""
        i, n = self.plan.shard
        whose = f"{i}-of-{n}-" if n > 1 else ""
        name = f"{whose}{self.plan.attempt}-{number}"  # a run that is taken up again confirms anew
        run_dir = self.settings.run_dir / CONFIRM_FOLDER / name
        failed = self._failed_on
        tests = [
            msgspec.structs.replace(avoiding(t, failed.get(t.identity.key, ())), turn=None)
            for t in tests
        ]
        plan = msgspec.structs.replace(
            self.plan,
            run_id=rounds_id(self.plan.run_id, name),
            tests=tuple(tests),
            total=len(tests),
            attempt=1,
            elsewhere={},
        )
        variables = {**self.settings.variables, NO_CACHE_VARIABLE: "1"}
        variables.pop(RECHECK_VARIABLE, None)
        run_dir.mkdir(parents=True, exist_ok=True)
        settings = replace(
            self.settings,
            run_dir=run_dir,
            run_id=plan.run_id,
            plan=write_plan(run_dir, plan),
            workers=1,
            variables=variables,
            attempt=1,
        )
        ended = self.engine.run(plan, settings, _Silent(), {})
        finish(run_dir)
        for device, key, outcome in outcomes_of(run_dir):
            outcomes[device].append((key, outcome))
        return ended.how is End.FINISHED


def confirmed_in(run_dir: Path) -> dict[str, Judgement]:
    """What the rounds below a run's directory came to, by test; of a test that was confirmed more
    than once, what it came to last.

    Raises:
        RecordError: one of them is damaged.
    """
    attempts: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for header in (run_dir / CONFIRM_FOLDER).glob(f"*/{HEADER_NAME}"):
        if named := _ROUND.fullmatch(header.parent.name):
            attempts[named[1]].append((int(named[2]), header.parent))
    found: dict[str, Judgement] = {}
    for _, rounds in sorted(attempts.items(), key=lambda named: _numbers(named[0])):
        number, _ = min(rounds)
        if number == 1:
            ran = [outcomes_of(path) for _, path in sorted(rounds)]
            found |= confirmation.confirmed(*confirmation.of_rounds(ran))
    return found


def found_below(run_dir: Path) -> Confirm:
    """What new failures are, by the rounds that lie below a run already; nothing is run."""
    return lambda verdict, own: confirmed_in(run_dir) if verdict.baseline is not None else {}


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _rounds(confirming: confirmation.Confirming) -> Iterator[list[str]]:
    controls = [one.control for one in confirming.confirmations]
    suspects = [test for one in confirming.confirmations for test in one.tests]
    yield controls
    for _ in range(confirmation.RERUNS):
        yield suspects
        yield controls


def _only_failed(ran: Sequence[tuple[str, Outcome]], test: str, wanted: int) -> bool:
    """Was it bad each time, and less often than is wanted? The night's own failure counts."""
    mine = [outcome for key, outcome in ran if key == test]
    return not any(o in GOOD for o in mine) and len(mine) + 1 < wanted


def outcomes_of(run_dir: Path) -> list[tuple[str, str, Outcome]]:
    """Device, key and outcome of a merged run's tests, as they are shown, by their start.

    Raises:
        RecordError: not a merged run, or a malformed record.
    """
    ops: dict[str, list[OpResult]] = defaultdict(list)
    for line in read_ops(run_dir):
        ops[line.test].append(line.result)
    records = sorted(latest(read_merged(run_dir)[1]), key=lambda r: r.started or 0.0)
    return [
        (r.identity.device, r.identity.key, shown(r, ops.get(r.identity.key, ()))) for r in records
    ]
