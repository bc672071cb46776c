# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Thresholds that good nights would bear."""

import random
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.outputs import Nearness, nearness
from bringup.pipeline.promotion.policy import default_policy
from bringup.pipeline.promotion.thresholds import Held, Kind, held_to, thresholds, told
from tests.unit import run_builder as made

TEST, KEY = "t5[full-eval]@n150", ("t5[full-eval]@n150", "bfloat16")
POLICY = default_policy().thresholds
ASSERTED, OFF = Held(0.9, True, True), Held(0.99, False, True)


def nights(count: int, pcc: float | None, *, ir_hash: str = "a", seed: int = 1) -> list[Nearness]:
    chance = random.Random(seed)
    return [
        Nearness(
            *KEY,
            float(i),
            None if pcc is None else pcc - chance.random() * 1e-5,
            0.001,
            ir_hash,
        )
        for i in range(count)
    ]


def kinds(seen: list[Nearness], held: Held, **fields: object) -> list[Kind]:
    found = thresholds(seen, {KEY: held}, POLICY, **fields)  # type: ignore[arg-type]
    return [one.kind for one in found]


def test_a_check_that_would_have_held_is_enabled_with_room() -> None:
    [one] = thresholds(nights(14, 0.9991), {KEY: OFF}, POLICY)
    assert one.kind is Kind.ENABLE_PCC and one.to is not None
    assert 0.998 <= one.to < 0.9991 - 3e-5
    assert one.line == f"assert_pcc=True, required_pcc={one.to:g}"
    [line] = told([one])
    assert line.startswith(f"ENABLE_PCC {TEST} (bfloat16): assert_pcc=True")
    assert "14 nights: worst 0.9990" in line


def test_it_is_raised_where_that_gains_enough() -> None:
    assert kinds(nights(14, 0.9991), ASSERTED) == [Kind.RAISE_PCC]
    assert kinds(nights(14, 0.93), ASSERTED) == []
    [one] = thresholds(nights(14, 0.9999999), {KEY: ASSERTED}, POLICY)
    assert one.to == POLICY.highest_pcc


def test_it_is_lowered_only_with_an_issue() -> None:
    bad = nights(14, 0.8)
    assert kinds(bad, ASSERTED) == []
    assert kinds(bad, ASSERTED, tracked={TEST: "#7"}) == [Kind.LOWER_PCC]


def test_what_is_expected_to_fail_and_is_good_is_expected_no_more() -> None:
    assert kinds(nights(14, 0.95), ASSERTED, xfailed=[TEST]) == [Kind.REMOVE_XFAIL]
    assert kinds(nights(14, 0.85), ASSERTED, xfailed=[TEST]) == []


def test_a_largest_difference_is_proposed_where_none_is_asserted() -> None:
    held = Held(0.95, True, False)
    [one] = thresholds(nights(14, 0.96), {KEY: held}, POLICY)
    assert one.kind is Kind.ADD_CONFIG and one.line == "assert_atol=True, required_atol=0.002"


@pytest.mark.parametrize(
    "seen",
    [
        nights(13, 0.9991),
        [*nights(13, 0.9991), *nights(1, None)],
        [*nights(13, 0.9991), *nights(1, 0.9991, ir_hash="b")],
        nights(14, 0.85),
    ],
    ids=["too few", "no number", "another model", "too low"],
)
def test_nothing_is_proposed(seen: list[Nearness]) -> None:
    assert kinds(seen, OFF) == []


def test_they_come_out_of_the_history(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history"))
    record = made.record(
        made.identity("t5"), outputs=(made.output(0.9991), made.output(0.995, "b"))
    )
    wrong = made.record(made.identity("x"), Outcome.FAILED, outputs=())
    history.add(made.write_run(tmp_path / "run", [record, wrong]))
    [one] = nearness(history, history.runs(), [record.identity.key])
    assert (one.dtype, one.pcc, one.atol) == ("float32", 0.995, 0.00371)
    assert held_to([record]) == {(record.identity.key, "float32"): Held(0.99, True, False)}
