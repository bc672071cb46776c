# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ways up and down, what they need, and what is no evidence."""

import random
import re
from typing import Any

import msgspec
import pytest

from bringup.harness.records.schema import Outcome, Stage
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.lists.specs import WEEKLY_FULL, WEEKLY_OP_BY_OP
from bringup.pipeline.promotion.account import account_of
from bringup.pipeline.promotion.decide import Step, applied, attempts_wanted, held_back, propose
from bringup.pipeline.promotion.ladder import LISTS, Standing, standing_on
from bringup.pipeline.promotion.policy import Group, Pins, default_policy
from bringup.pipeline.promotion.weighing import Place
from tests.unit.pipeline.promotion.made_nights import nights, probed, sample, with_policy

KEY = sample(0).test
GOOD = nights(40)
FULL, OPS = {KEY: Place(Standing.FULL)}, {KEY: Place(Standing.OP_BY_OP)}
PLACE = "tests/models/m/test_m.py"
BROKEN = [*GOOD, sample(40, "failed", failed=4)]


def way(samples: list[Sample], places: dict[str, Place], **fields: Any) -> tuple[str, str] | None:
    found = propose(samples, places, **fields)
    return (found[0].was, found[0].to) if found else None


class TestDown:
    def test_four_failures_after_forty_nights_and_three_after_sixty(self) -> None:
        assert way(BROKEN, FULL) == (Standing.FULL, Standing.OP_BY_OP)
        assert way([*GOOD, sample(40, "failed", failed=3)], FULL) is None
        longer = nights(60)
        assert way([*longer, sample(60, "failed", failed=3)], FULL) is not None
        assert way([*longer, sample(60, "failed", failed=2)], FULL) is None

    def test_one_that_fails_by_chance_needs_more(self) -> None:
        flaky = [sample(n, failed=n % 5 == 0) for n in range(40)]
        assert way([*flaky, sample(40, "failed", failed=5)], FULL) is None
        assert way([*flaky, sample(40, "failed", failed=9)], FULL) is not None

    def test_nights_add_up_without_confirmation(self) -> None:
        assert way([*GOOD, *nights(4, "failed", start=40)], FULL) is not None
        mixed = [*GOOD, *nights(3, "failed", start=40), sample(43), sample(44, "failed")]
        assert way(mixed, FULL) is None

    def test_incorrect_for_good_asks_for_the_check_to_be_disabled(self) -> None:
        bad = [*GOOD, sample(40, "incorrect", failed=4)]
        assert way(bad, FULL) == (Standing.FULL, Standing.INCORRECT)
        crash = [*bad, sample(41, "crashed")]
        assert way(crash, FULL) == (Standing.FULL, Standing.INCORRECT)
        stands = {KEY: Place(Standing.INCORRECT)}
        assert way([*bad, *nights(9, "incorrect", start=41)], stands) is None
        mended = [*bad, probed(41), probed(42)]
        assert way(mended, stands) == (Standing.INCORRECT, Standing.FULL)

    def test_a_crash_among_incorrect_attempts_of_one_night_is_one_crash(self) -> None:
        stands, before = {KEY: Place(Standing.INCORRECT)}, nights(40, "incorrect")
        once = sample(40, "crashed", failed=6, incorrect=5)
        assert way([*before, once], stands) is None  # run again, it ran to its end
        assert way([*GOOD, once], FULL) == (Standing.FULL, Standing.INCORRECT)
        older = sample(40, "crashed", failed=6)  # nobody counted: all were crashes
        assert way([*before, older], stands) == (Standing.INCORRECT, Standing.OP_BY_OP)
        turned = [*before, sample(40, "incorrect", failed=5, incorrect=1)]
        assert way([*turned, sample(41, "crashed", failed=2)], stands) is None
        device = [
            *(
                s
                for e in "abcde"
                for s in nights(20, "incorrect", entry=f"{PLACE}::test_{e}[full]")
            ),
            *(sample(20, "crashed", entry=f"{PLACE}::test_{e}[full]", failed=4) for e in "ab"),
        ]
        stand = {s.test: Place(Standing.INCORRECT) for s in device}
        assert propose(device, stand) == []  # two of five together: it is the device
        alone = [msgspec.structs.replace(s, incorrect=3) if s.failed == 4 else s for s in device]
        assert propose(alone, stand) == []

    def test_every_other_attempt_failing_is_quarantined_and_comes_back(self) -> None:
        coin = [sample(n, failed=1) for n in range(50)]
        assert way(coin, FULL) == (Standing.FULL, Standing.QUARANTINE)
        assert standing_on(LISTS[Standing.QUARANTINE]) is Standing.QUARANTINE
        assert way([*coin, probed(50)], {KEY: Place(Standing.QUARANTINE)}) is None
        steady = [*coin, *(probed(50 + n) for n in range(7))]
        stands = {KEY: Place(Standing.QUARANTINE)}
        assert way(steady, stands) == (Standing.QUARANTINE, Standing.FULL)


def test_who_stands_on_the_weekly_full_list_is_full_and_leaves_it_going_down() -> None:
    assert standing_on([WEEKLY_FULL]) is Standing.FULL
    assert standing_on([WEEKLY_FULL, WEEKLY_OP_BY_OP]) is Standing.FULL
    assert all(WEEKLY_FULL not in into for into in LISTS.values())


class TestUp:
    def test_twenty_good_attempts_on_two_nights(self) -> None:
        assert way([probed(0), probed(1)], OPS) == (Standing.OP_BY_OP, Standing.FULL)
        assert way([probed(0, 30)], OPS) is None
        assert way([probed(0), probed(1, 9)], OPS) is None

    def test_a_failure_begins_anew_and_costs(self) -> None:
        seen = [sample(0), sample(1, "failed"), probed(2), probed(3)]
        assert way(seen, OPS) is None
        assert way([*seen, probed(4)], OPS) is not None

    def test_it_rests_after_a_way_down(self) -> None:
        seen = [*BROKEN, probed(41), probed(42)]
        fell = {KEY: Place(Standing.OP_BY_OP, 40.0, 40.0)}
        assert way(seen, fell) == (Standing.OP_BY_OP, Standing.FULL)
        longer = with_policy(promote={"cool_down": 5})
        assert way(seen, fell, policy=longer) is None
        said = account_of(seen, KEY, fell, longer)
        assert said.blocked == ("it went down less than 5 nights ago, and rests",)

    def test_a_changed_model_begins_anew(self) -> None:
        seen = [probed(0, ir_hash="a"), probed(1, ir_hash="b")]
        assert way(seen, OPS) is None
        assert way([*seen, probed(2, ir_hash="b")], OPS) is not None
        failing = sample(40, "failed", failed=4, ir_hash="c")  # held to nothing: no other model
        assert propose([*nights(40, ir_hash="a"), failing], FULL)[0].evidence.good == 40

    def test_a_compiler_is_shown_and_begins_nothing(self) -> None:
        [step] = propose([probed(0, versions="a"), probed(1, versions="b")], OPS)
        assert step.evidence.versions == "b"


NOTHING: dict[str, dict[str, Any]] = {
    "no memory": {"kind": "MemoryError"},
    "no memory in C++": {"message": "std::bad_alloc", "stage": Stage.EXECUTE},
    "no space": {"message": "OSError: [Errno 28] No space left on device"},
    "hung": {"message": "the device hung", "stage": Stage.EXECUTE},
    "refused": {"kind": "OnnxRefusal", "stage": Stage.EXPORT},
    "loading": {"stage": Stage.LOAD},
    "golden": {"stage": Stage.GOLDEN},
    "own code": {"stage": None},
    **{word.name: {"excluded": word} for word in Excluded if word},
}


@pytest.mark.parametrize("why", NOTHING)
def test_what_is_no_evidence_demotes_nobody(why: str) -> None:
    seen = [*GOOD, *nights(9, "failed", start=40, failed=4, **NOTHING[why])]
    assert way(seen, FULL) is None


@pytest.mark.parametrize("excluded", [word for word in Excluded if word])
def test_what_is_no_evidence_promotes_nobody(excluded: Excluded) -> None:
    assert way([probed(n, list_name="", excluded=excluded) for n in range(5)], OPS) is None


TESTS = [f"m{i}[full-eval]@n150" for i in range(20)]
PLACES = {test: Place(Standing.FULL) for test in TESTS}


def night_of(at: int, bad: int) -> list[Sample]:
    """One night of a device's tests, the first of which fail in all their attempts."""
    failing = [sample(at, "failed", test=t, device="n150", failed=4) for t in TESTS[:bad]]
    return [*failing, *(sample(at, test=t, device="n150") for t in TESTS[bad:])]


class TestDevices:
    def test_many_that_fail_together_speak_against_the_device(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        assert len(propose([*good, *night_of(40, 1)], PLACES)) == 1
        ill = [*good, *night_of(40, 5)]
        assert propose(ill, PLACES) == []
        assert propose([*ill, *night_of(41, 1)], PLACES) == []  # nor is it well at once
        assert len(propose([*ill, *night_of(41, 0), *night_of(42, 1)], PLACES)) == 1

    def test_what_goes_on_is_no_accident(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        for_long = [s for n in range(40, 46) for s in night_of(n, 5)]
        assert len(propose([*good, *for_long], PLACES)) == 5

    def test_whose_failures_are_others_every_night_is_sick_for_as_long_as_that(self) -> None:
        chance, seen = random.Random(5), [s for n in range(40) for s in night_of(n, 0)]
        for at in range(40, 55):
            bad = set(chance.sample(TESTS, 7))
            seen += [
                sample(at, "failed" if t in bad else "passed", test=t, device="n150") for t in TESTS
            ]
            assert propose(seen, PLACES) == []
        assert propose([*seen, *night_of(55, 0)], PLACES) == []
        assert len(propose([*seen, *night_of(55, 0), *night_of(56, 1)], PLACES)) == 1

    def test_runs_of_other_devices_change_nothing(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        between = [
            sample(n + 0.5, "failed", run=f"other-{n}", test="x[full-eval]@cpu") for n in range(60)
        ]
        ill = [*good, *night_of(40, 5)]
        both = PLACES | {"x[full-eval]@cpu": Place(Standing.OP_BY_OP)}
        assert propose([*ill, *between[:41], *night_of(41, 1)], both) == []
        for_long = [s for n in range(40, 46) for s in night_of(n, 5)]
        wide = with_policy(evidence={"window": 120})
        assert len(propose([*good, *for_long, *between[:46]], both, wide)) == 5

    def test_an_outage_is_never_evidence_however_long(self) -> None:
        good = [s for n in range(20) for s in night_of(n, 0)]
        for_long = [s for n in range(20, 50) for s in night_of(n, 20)]
        assert propose([*good, *for_long], PLACES) == []
        lasting = [s for n in range(20, 30) for s in night_of(n, 12)]
        assert len(propose([*good, *lasting], PLACES)) == 12

    def test_two_that_break_on_different_nights_accuse_no_device(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)[:11]]
        second = [*good, *night_of(40, 1)[:11], *night_of(41, 2)[:11], *night_of(42, 2)[:11]]
        assert {s.test for s in propose(second, PLACES)} == set(TESTS[:2])

    def test_who_is_demoted_meanwhile_accuses_the_device_as_before(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        ill = [*good, *(s for n in range(40, 46) for s in night_of(n, 6))]
        demoted = PLACES | dict.fromkeys(TESTS[:5], Place(Standing.OP_BY_OP, 45, 45))
        assert propose(ill, demoted) == propose(ill, PLACES)[5:]

    def test_two_of_a_device_with_two_wait_whatever_lists_they_are_on(self) -> None:
        few = {TESTS[0]: Place(Standing.FULL), TESTS[1]: Place(Standing.OP_BY_OP)}
        steady = [s for n in range(40) for s in night_of(n, 0)[:2]]
        assert not any(s.test == TESTS[0] for s in propose([*steady, *night_of(40, 2)[:2]], few))

    def test_a_device_with_few_tests_shows_first_that_it_is_well(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)[:6]]
        assert len(propose([*good, *night_of(40, 1)], PLACES)) == 1
        seen = [*good, *night_of(40, 1)[:6]]
        assert propose(seen, PLACES) == []
        assert held_back(columns_of(seen), PLACES, default_policy()) == TESTS[:1]
        [blocked] = account_of(seen, TESTS[0], PLACES).blocked
        assert re.search(r"with a chance of 0\.\d+ that is n150, by what else ran on it", blocked)
        assert len(propose([*seen, *night_of(41, 1)[:6]], PLACES)) == 1

    def test_a_night_that_says_nothing_of_a_test_demotes_nobody_by_older_ones(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        broken = [*good, *night_of(40, 1)]
        nothing = {"outcome": Outcome.INFRA, "passed": 0, "excluded": Excluded.MACHINE}
        unseen = [
            *broken,
            *night_of(41, 0)[1:],
            sample(41, test=TESTS[0], device="n150", **nothing),
        ]
        assert propose(unseen, PLACES) == []
        [blocked] = account_of(unseen, TESTS[0], PLACES).blocked
        assert "its device's newest night" in blocked
        elsewhere = [*broken, sample(41, test="m0[full-eval]@cpu")]
        for seen in (broken, elsewhere, [*unseen, *night_of(42, 1)]):
            assert [s.test for s in propose(seen, PLACES) if s.device == "n150"] == TESTS[:1]

    def test_a_device_that_fails_attempts_by_chance_sends_nobody_to_quarantine(self) -> None:
        nights_before = [s for n in range(5) for s in night_of(n, 0)]
        hit = {"device": "n150", "passed": 1, "failed": 20}
        seen = [*nights_before, *(sample(5, test=t, **hit) for t in TESTS[:12])]
        seen += [sample(5, "failed", test=t, device="n150", failed=9) for t in TESTS[12:]]
        assert propose(seen, PLACES) == []
        alone = [*nights_before, sample(5, test=TESTS[0], **hit), *night_of(5, 0)[1:]]
        [step] = propose(alone, PLACES)
        assert (step.test, step.to) == (TESTS[0], Standing.QUARANTINE)

    def test_a_control_between_the_failures_is_witness_enough(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)[:2]]
        control = sample(40, test=TESTS[1], device="n150", passed=5)
        failing = sample(40, "failed", test=TESTS[0], device="n150", failed=4)
        assert len(propose([*good, failing, control], PLACES)) == 1
        once = msgspec.structs.replace(control, passed=1)
        assert propose([*good, failing, once], PLACES) == []

    def test_where_nobody_can_vouch_patience_ends(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)[:2]]
        both = [s for n in range(40, 42) for s in night_of(n, 1)[:2]]
        assert propose([*good, *both], PLACES) == []
        longer = [s for n in range(42, 46) for s in night_of(n, 1)[:2]]
        assert len(propose([*good, *both, *longer], PLACES)) == 1

    def test_nothing_goes_up_in_a_night_in_which_it_failed(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        risen = PLACES | {TESTS[0]: Place(Standing.OP_BY_OP)}
        assert [s.to for s in propose(good, risen)] == [Standing.FULL]
        assert (
            propose([*good, *night_of(40, 5)], risen) == []
        )  # its device is suspect, and it waits

    def test_what_is_asked_of_a_night_is_enough_after_it(self) -> None:
        """The oldest night, which spoke for the test, is not in the window any more by then."""
        seen = [*nights(11), *nights(47, "failed", start=11), probed(58, 6), probed(59, 7)]
        more = attempts_wanted(seen, OPS)[KEY]
        assert way([*seen, probed(60, more)], OPS) is not None

    def test_a_cap_takes_the_strongest(self) -> None:
        good = [s for n in range(40) for s in night_of(n, 0)]
        seen = [*good, *(s for n in range(40, 46) for s in night_of(n, 5))]
        assert len(propose(seen, PLACES, with_policy(demote={"cap_a_night": 2}))) == 2


class TestPolicy:
    def test_a_pin_holds(self) -> None:
        pinned = with_policy(pins={})
        for pin in (KEY, "t5*", "*@cpu"):
            policy = type(pinned)(**{**_parts(), "pins": Pins((pin,))})
            assert way(BROKEN, FULL, policy=policy) is None
            said = account_of(BROKEN, KEY, FULL, policy)
            assert said.blocked == (f"it is pinned by {pin!r} in the policy",)

    def test_a_group_is_held_to_its_own(self) -> None:
        group = Group("customers", ("t5*",), "@ada", promote_nights=3, demote_error_rate=1e-9)
        policy = type(default_policy())(**{**_parts(), "groups": (group,)})
        assert way(BROKEN, FULL, policy=policy) is None
        assert way([probed(0), probed(1)], OPS, policy=policy) is None
        [step] = propose([probed(0), probed(1), probed(2)], OPS, policy)
        assert step.owner == "@ada"

    def test_what_is_skipped_stays(self) -> None:
        assert way(BROKEN, {KEY: Place(Standing.SKIPPED)}) is None


def _parts() -> dict[str, Any]:
    policy = default_policy()
    return {name: getattr(policy, name) for name in policy.__struct_fields__}


class TestAttempts:
    def test_as_many_as_are_missing_tonight(self) -> None:
        assert attempts_wanted([], OPS) == {KEY: 12}
        assert attempts_wanted([probed(0, 4)], OPS) == {KEY: 12}
        assert attempts_wanted([probed(0), probed(1, 5), sample(2)], OPS) == {KEY: 6}

    def test_a_failure_is_confirmed_as_often_as_its_past_asks_for(self) -> None:
        assert attempts_wanted([], FULL) == {KEY: 6}
        assert attempts_wanted(GOOD, FULL) == {KEY: 4}
        flaky = [sample(n, failed=n % 5 == 0) for n in range(40)]
        assert attempts_wanted(flaky, FULL)[KEY] > 5

    def test_at_the_top_of_a_device_that_only_compiles(self) -> None:
        top = {"m[full-eval]@n150": Place(Standing.COMPILE)}
        assert attempts_wanted([], top, compile_only=["n150"]) == {"m[full-eval]@n150": 6}


class TestAccount:
    def test_where_it_is_and_what_is_missing(self) -> None:
        said = account_of([probed(0)], KEY, {KEY: Place(Standing.OP_BY_OP, 3.0)})
        assert (said.standing, said.since, said.lists) == (
            Standing.OP_BY_OP,
            3.0,
            ("nightly_op_by_op",),
        )
        assert "correct in the newest run that counts (n0): 12 good attempts" in said.seen
        [up] = said.ways
        assert up.to is Standing.FULL and up.evidence.more == 12
        assert up.says == "12 more good attempts one after another on 1 more night"

    def test_of_one_on_full_what_would_take_it_off(self) -> None:
        said = account_of([*GOOD, sample(40, "failed")], KEY, FULL)
        [down] = said.ways
        assert down.to is Standing.OP_BY_OP
        assert down.says == "3 more bad attempts one after another"

    def test_of_one_that_nobody_saw(self) -> None:
        said = account_of(GOOD, "x[full-eval]@cpu", {})
        assert (said.standing, said.ways, said.since) == (Standing.NEW, (), None)
        assert said.seen == "no night says anything of it yet"


def test_the_same_nights_in_any_order_give_the_same_moves() -> None:
    chance = random.Random(3)
    seen = [*BROKEN, probed(0, entry="a.py::test_b[full-eval]")]
    wanted = propose(columns_of(seen), FULL)
    for _ in range(5):
        assert propose(chance.sample(seen, len(seen)), FULL) == wanted


def test_a_move_is_applied_and_remembered() -> None:
    [step] = propose(BROKEN, FULL)
    assert isinstance(step, Step) and not step.up
    moved = applied(FULL, [step], 40.0)
    assert moved == {KEY: Place(Standing.OP_BY_OP, 40.0, 40.0)}
    assert propose(BROKEN, moved) == []


def test_a_driver_that_is_lost_is_not_the_models_doing() -> None:
    assert way([*GOOD, *nights(9, "reached", start=40)], FULL) is None
    assert way(nights(9, outcome=Outcome.REACHED, status=3), OPS) is None
