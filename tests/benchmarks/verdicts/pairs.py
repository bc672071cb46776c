# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`false_pass_share` and `false_fail_share`: the judge over made pairs, right and wrong."""

import random
from dataclasses import dataclass, field

from bringup.harness.records.schema import OutputCheck
from bringup.harness.verify import (
    Natural,
    Tolerances,
    compare,
    compare_training,
    mismatches,
    natural_errors,
    verdict,
)
from tests.benchmarks.figures import Figure
from tests.benchmarks.verdicts.right_pairs import Outputs, RightPair, draw
from tests.benchmarks.verdicts.wrong_pairs import spoil

SEED = 9


@dataclass
class Tally:
    """What the judge said of all pairs."""

    right: int = 0
    wrong: int = 0
    false_fails: list[str] = field(default_factory=list)
    false_passes: list[str] = field(default_factory=list)
    unknown: int = 0
    """Faulty pairs judged without a reference as well."""
    unknown_passes: list[str] = field(default_factory=list)


def tally(pairs: int, seed: int = SEED) -> Tally:
    """Judge at least `pairs` pairs, half of them right."""
    rng, found = random.Random(seed), Tally()
    while found.right + found.wrong < pairs:
        pair = draw(rng)
        natural = natural_errors(pair.golden, pair.reference)
        said = mismatches(judge(pair, pair.actual, natural))
        found.right += 1
        if said:
            found.false_fails.append(f"{pair.name}: {said[0]}")
        spoiled = spoil(pair, rng)
        if spoiled is None:
            continue
        kind, wrong = spoiled
        found.wrong += 1
        if verdict(judge(pair, wrong, natural)):
            found.false_passes.append(f"{pair.name}: {kind}")
        found.unknown += 1
        if verdict(judge(pair, wrong, None)):
            found.unknown_passes.append(f"{pair.name}: {kind}")
    return found


def judge(pair: RightPair, actual: Outputs, natural: Natural | None) -> tuple[OutputCheck, ...]:
    """What is checked of one pair where a test gives no tolerance."""
    if pair.training:
        return compare_training(pair.golden, actual, Tolerances(), "grad.", natural)
    return compare(pair.golden, actual, natural=natural)


def measure(pairs: int) -> list[Figure]:
    """The shares of wrong verdicts over at least `pairs` pairs."""
    found = tally(pairs)
    for kind, sentences in (
        ("right, and failed", found.false_fails),
        ("wrong, and passed", found.false_passes),
        ("wrong, and passed without a reference", found.unknown_passes),
    ):
        for sentence in sentences[:20]:
            print(f"{kind}: {sentence}")
    return [
        Figure(
            "false_pass_share",
            len(found.false_passes) / max(found.wrong, 1),
            "",
            "== 0",
            f"{found.wrong} outputs with a fault above the stated resolution",
        ),
        Figure(
            "false_pass_share_without_reference",
            len(found.unknown_passes) / max(found.unknown, 1),
            "",
            "",
            f"the same {found.unknown}, of which golden's own rounding is not known",
        ),
        Figure(
            "false_fail_share",
            len(found.false_fails) / max(found.right, 1),
            "",
            "<= 0.001",
            f"{found.right} right outputs, rounded in two ways",
        ),
    ]
