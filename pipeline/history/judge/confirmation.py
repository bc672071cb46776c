# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A new failure is run again at once, between runs of a test that was good on the same device.

PyTorch's autorevert calls it a sandwich: a failure in time between two successes of something that
is known to work rules the machine out. On a device all new failures share one control::

    control, a, b, c, control, a, b, c, control

so that each of two reruns stands between two controls, and many failures cost three controls.
Which tests, with which control, within which time is planned here, and what came of it is judged
here; whoever runs it has the verdict cache off.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bringup.harness.records.night import NEW_FAILURES, Judgement, NightVerdict, TestVerdict
from bringup.harness.records.values import GOOD, NOT_EVIDENCE, Outcome
from bringup.pipeline.history.judge.headline import urgency

RERUNS = 2
"""Of each new failure; the night's own is the third."""
_NOBODYS = frozenset({Outcome.KILLED, Outcome.NOT_RUN})
"""Ends that somebody who stops a run makes: they say nothing of the device."""


@dataclass(frozen=True)
class Suspect:
    """A test to be run again."""

    test: str
    device: str
    seconds: float
    """What one run of it takes."""


@dataclass(frozen=True)
class Control:
    """A test that was good tonight."""

    test: str
    device: str
    seconds: float
    flips: int = 0
    """In its last 30 nights: one that flips on its own shows nothing."""


@dataclass(frozen=True)
class Confirmation:
    """What to run on one device, in this order."""

    device: str
    control: str
    tests: tuple[str, ...]
    seconds: float
    """All of it, one after the other."""

    @property
    def order(self) -> tuple[str, ...]:
        """Keys of tests, the control between the rounds."""
        return (self.control, *(*self.tests, self.control) * RERUNS)


@dataclass(frozen=True)
class Confirming:
    """A plan within a budget."""

    confirmations: tuple[Confirmation, ...]
    left_out: Mapping[str, str]
    """Suspects that stay unconfirmed, with why: one sentence each."""


def is_open(verdict: TestVerdict) -> bool:
    """Is it a new failure that nothing settles yet, be it of a test that failed by turns before and
    of which something is another since it was good last?"""
    by_turns = (
        verdict.judgement is Judgement.FLAKE
        and verdict.outcome not in GOOD
        and verdict.baseline in GOOD
        and bool(verdict.changes)
    )
    return (verdict.judgement in NEW_FAILURES or by_turns) and not verdict.settled


def suspects_of(verdict: NightVerdict, seconds: Mapping[str, float]) -> list[Suspect]:
    """A night's new failures that nothing settles yet, the most urgent first.

    Args:
        seconds: by test, what one run takes; of one that is not there nothing is known, and 0.0
            would be a lie: it is left out.
    """
    open_ones = (t for t in verdict.tests if is_open(t))
    return [
        Suspect(one.test, one.device, seconds[one.test])
        for one in sorted(open_ones, key=urgency)
        if one.test in seconds
    ]


def plan(suspects: Iterable[Suspect], controls: Iterable[Control], budget: float) -> Confirming:
    """Choose what to run again within `budget` seconds, by the order of the suspects.

    A test that does not fit is passed over, and a later one that does is taken.
    """
    control_of = _controls(controls)
    chosen: dict[str, list[Suspect]] = {}
    left_out: dict[str, str] = {}
    spent = 0.0
    for suspect in suspects:
        control = control_of.get(suspect.device)
        if control is None or control.test == suspect.test:
            left_out[suspect.test] = f"nothing else was good on {suspect.device} tonight"
            continue
        first = suspect.device not in chosen
        cost = RERUNS * suspect.seconds + first * (RERUNS + 1) * control.seconds
        if spent + cost > budget:
            left_out[suspect.test] = f"{cost:.0f} s more do not fit into {budget:.0f} s"
            continue
        spent += cost
        chosen.setdefault(suspect.device, []).append(suspect)
    return Confirming(
        tuple(_confirmation(control_of[d], tests) for d, tests in sorted(chosen.items())), left_out
    )


def _controls(controls: Iterable[Control]) -> dict[str, Control]:
    """Of each device the control: one that does not flip, and of those the shortest."""
    found: dict[str, Control] = {}
    for one in sorted(controls, key=lambda c: (c.flips, c.seconds, c.test)):
        found.setdefault(one.device, one)
    return found


def _confirmation(control: Control, tests: Sequence[Suspect]) -> Confirmation:
    seconds = RERUNS * sum(t.seconds for t in tests) + (RERUNS + 1) * control.seconds
    return Confirmation(control.device, control.test, tuple(t.test for t in tests), seconds)


def decide(outcomes: Sequence[tuple[str, Outcome]], test: str, control: str) -> Judgement | None:
    """REGRESSION, FLAKE or DEVICE; None where the reruns settle nothing.

    Args:
        outcomes: keys and outcomes in the order of time, of one device; other tests' are passed
            over. The failure that is to be confirmed is not among them.

    A test that is good once more was a flake, unless the control failed as well. A test that is
    bad every time is a regression only where each time stands between two good controls. A control
    that was stopped, or did not get its turn, is none.
    """
    mine = [(at, outcome) for at, (key, outcome) in enumerate(outcomes) if key == test]
    controls = {at: outcome for at, (key, outcome) in enumerate(outcomes) if key == control}
    controls = {at: o for at, o in controls.items() if o not in _NOBODYS}
    if any(outcome not in GOOD for outcome in controls.values()):
        return Judgement.DEVICE
    if any(outcome in NOT_EVIDENCE and outcome is not Outcome.SKIPPED for _, outcome in mine):
        return Judgement.DEVICE if any(o is Outcome.INFRA for _, o in mine) else None
    if any(outcome in GOOD for _, outcome in mine):
        return Judgement.FLAKE
    between = [
        at
        for at, outcome in mine
        if outcome is not Outcome.UNVERIFIED
        and outcome not in NOT_EVIDENCE
        and any(c < at for c in controls)
        and any(c > at for c in controls)
    ]
    return Judgement.REGRESSION if len(between) >= RERUNS else None


def confirmed(
    confirming: Confirming, outcomes: Mapping[str, Sequence[tuple[str, Outcome]]]
) -> dict[str, Judgement]:
    """What all reruns came to, by test, as `Tonight.confirmed` takes it; by device the outcomes
    in the order of time."""
    found = {}
    for one in confirming.confirmations:
        for test in one.tests:
            word = decide(outcomes.get(one.device, ()), test, one.control)
            if word is not None:
                found[test] = word
    return found


def of_rounds(
    rounds: Sequence[Sequence[tuple[str, str, Outcome]]],
) -> tuple[Confirming, dict[str, list[tuple[str, Outcome]]]]:
    """What was planned, by the rounds that came of it, and its outcomes by device.

    Args:
        rounds: device, key and outcome of what each ran, in the order of time; the first has only
            controls.
    """
    controls = {device: key for device, key, _ in rounds[0]} if rounds else {}
    outcomes: dict[str, list[tuple[str, Outcome]]] = {device: [] for device in controls}
    for ran in rounds:
        for device, key, outcome in ran:
            outcomes.setdefault(device, []).append((key, outcome))
    planned = [
        Confirmation(
            device, control, tuple(dict.fromkeys(k for k, _ in outcomes[device] if k != control)), 0
        )
        for device, control in sorted(controls.items())
    ]
    return Confirming(tuple(planned), {}), outcomes
