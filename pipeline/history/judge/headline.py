# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night in one sentence, and whether it is to stop anybody."""

from collections import Counter
from collections.abc import Sequence

from bringup.harness.records.night import NEW_FAILURES, Judgement, TestVerdict

URGENCY = (
    *NEW_FAILURES,
    *(
        Judgement.FLAKE,
        Judgement.DEVICE,
        Judgement.MISSING,
        Judgement.FIXED,
        Judgement.UNEXPECTED_PASS,
        Judgement.KNOWN,
    ),
    *(Judgement.NO_EVIDENCE, Judgement.GOOD),
)
"""The order in which a reader wants to see them."""
_IN_HEAD = (
    (Judgement.KNOWN, "known"),
    (Judgement.FIXED, "fixed"),
    (Judgement.FLAKE, "flaky"),
    (Judgement.DEVICE, "device trouble"),
    (Judgement.MISSING, "missing"),
    (Judgement.UNEXPECTED_PASS, "unexpectedly good"),
)


def urgency(verdict: TestVerdict) -> tuple[bool, int, bool, str]:
    """Smallest is first: what stops a list, then by the judgement, then what works elsewhere."""
    gate = verdict.gating and verdict.judgement in NEW_FAILURES
    return not gate, URGENCY.index(verdict.judgement), not verdict.works_elsewhere, verdict.test


def head_sentence(tests: Sequence[TestVerdict]) -> str:
    """E.g. `2 new, 3 known, 1 fixed, 1 flaky; first: bert[full-eval]@n150, regression`.

    New are regressions, suspected ones and tests that are bad at first sight. New and known are
    always told, everything else where there is some.
    """
    counts = Counter(verdict.judgement for verdict in tests)
    new = sum(counts[word] for word in NEW_FAILURES)
    parts = [f"{new} new", f"{counts[Judgement.KNOWN]} known"]
    parts += [f"{counts[word]} {says}" for word, says in _IN_HEAD[1:] if counts[word]]
    worse = sum(1 for verdict in tests if verdict.drifts and verdict.judgement is Judgement.GOOD)
    if worse:
        parts.append(f"{worse} worse but good")
    if not new:
        return ", ".join(parts)
    first = min(tests, key=urgency)
    return f"{', '.join(parts)}; first: {first.test}, {first.judgement}"


def has_regressed(tests: Sequence[TestVerdict]) -> bool:
    """Is a test of a gating list bad that was good? One that is only suspected counts as well: a
    gate that waits for a second night lets the first one through."""
    regressed = (Judgement.REGRESSION, Judgement.SUSPECTED)
    return any(verdict.gating and verdict.judgement in regressed for verdict in tests)
