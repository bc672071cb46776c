# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`--confirm`: a night's new failures are run again at once, between runs of a control.

What is run, and what it comes to, is decided in `pipeline/history/judge/confirmation`. Each round
is a run of its own below the night's directory, `confirm/ATTEMPT-1` to `-5`: control, suspects,
control, suspects, control, one test at a time, with the verdict cache off.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bringup.harness.records.naming import is_op_by_op
from bringup.harness.records.night import Judgement, NightVerdict
from bringup.harness.records.outcomes import latest, shown
from bringup.harness.records.run_dir import CONFIRM_FOLDER, read_merged, read_ops, write_plan
from bringup.harness.records.schema import OpResult, Outcome, Plan, PlannedTest
from bringup.harness.records.variable_names import NO_CACHE_VARIABLE, RECHECK_VARIABLE
from bringup.pipeline.history.judge import confirmation
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.merge import finish
from bringup.pipeline.running.engine import End, Engine
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Settings

NIGHTLY_S = 600.0
"""Seconds that a night may spend on it, unless somebody says otherwise."""
Confirm = Callable[[NightVerdict, Sequence[Sample]], Mapping[str, Judgement]]
"""From a verdict and the night's samples to what its new failures are, by test."""


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

    def confirm(self, verdict: NightVerdict, own: Sequence[Sample]) -> Mapping[str, Judgement]:
        """What the new failures are, by test, of those that reruns settle.

        A night without a baseline has nothing that is new; `own` are the night's samples.

        Raises:
            RecordError: the disk is full or gone.
        """
        if verdict.baseline is None or not self.budget_s:
            return {}
        known = {test.identity.key: test for test in self.plan.tests}
        seconds = {s.test: s.seconds for s in own if s.seconds and s.test in known}
        controls = [
            confirmation.Control(s.test, s.device, seconds[s.test])
            for s in own
            if s.good and not s.excluded and s.test in seconds
            if not is_op_by_op(known[s.test].identity)
        ]
        suspects = confirmation.suspects_of(verdict, seconds)
        confirming = confirmation.plan(suspects, controls, self.budget_s)
        for test, why in confirming.left_out.items():
            self.say(f"not run again: {test}: {why}")
        if not confirming.confirmations:
            return {}
        count = sum(len(one.tests) for one in confirming.confirmations)
        took = sum(one.seconds for one in confirming.confirmations)
        self.say(
            f"running {count} new failures again, about {took:.0f} s and five starts of pytest"
        )
        outcomes: dict[str, list[tuple[str, Outcome]]] = defaultdict(list)
        for number, tests in enumerate(_rounds(confirming), start=1):
            if not self._run(number, [known[t] for t in tests], outcomes):
                break
        found = confirmation.confirmed(confirming, outcomes)
        for test, word in found.items():
            self.say(f"run again: {test}: {word}")
        return found

    def _run(
        self,
        number: int,
        tests: Sequence[PlannedTest],
        outcomes: Mapping[str, list[tuple[str, Outcome]]],
    ) -> bool:
        """One round; False when it was interrupted, and no other is to follow."""
        name = f"{self.plan.attempt}-{number}"  # a run that is taken up again confirms anew
        run_dir = self.settings.run_dir / CONFIRM_FOLDER / name
        plan = msgspec.structs.replace(
            self.plan,
            run_id=f"{self.plan.run_id}-confirm-{name}",
            tests=tuple(tests),
            total=len(tests),
            attempt=1,
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


def _rounds(confirming: confirmation.Confirming) -> Iterator[list[str]]:
    controls = [one.control for one in confirming.confirmations]
    suspects = [test for one in confirming.confirmations for test in one.tests]
    yield controls
    for _ in range(confirmation.RERUNS):
        yield suspects
        yield controls


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
