# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From evidence to edits of lists: which entries, on which lists, and that it comes to an end."""

import random
from pathlib import Path

import pytest

from bringup.harness.records.moves import Move, read_moves, write_moves
from bringup.harness.records.schema import Outcome, Status
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.lists.lists import apply, problems, read_lists
from bringup.pipeline.lists.specs import SHIPPED
from bringup.pipeline.promotion.standings import with_flow
from tests.unit.pipeline.promotion.made_nights import (
    AS,
    E2E,
    FULL,
    IN_FULL,
    OPS,
    T5,
    T5_OPS,
    T5_SHLO,
    WEEKLY,
    YOLO,
    YOLO_OPS,
    decided,
    lists,
    moves,
    nights,
    probed,
    sample,
)

READY = [probed(0), probed(1)]


class TestUp:
    def test_what_was_op_by_op_goes_to_nightly_full(self) -> None:
        given = lists((OPS, T5_OPS), (E2E, T5))
        assert moves(READY, given) == {
            ("add", FULL, T5),
            ("add", WEEKLY, T5_OPS),
            ("remove", OPS, T5_OPS),
            ("remove", E2E, T5),
        }
        reason = decided(READY, given).moves[0].reason
        assert reason.startswith("24 good attempts one after another on 2 nights, where 24 on 2")

    def test_an_onnx_test_is_walked_through_stablehlo(self) -> None:
        seen = [probed(0, entry=YOLO), probed(1, entry=YOLO)]
        assert moves(seen, lists()) == {("add", FULL, YOLO), ("add", WEEKLY, YOLO_OPS)}

    def test_the_op_by_op_ids_somebody_chose_move_as_they_are(self) -> None:
        assert moves(READY, lists((OPS, T5_SHLO))) == {
            ("add", FULL, T5),
            ("add", WEEKLY, T5_SHLO),
            ("remove", OPS, T5_SHLO),
        }

    def test_one_device_says_nothing_of_another(self) -> None:
        given = lists((OPS, T5_OPS), device="n150")
        assert {m.device for m in decided(READY, given).moves} == {"cpu"}

    def test_what_is_in_place_is_not_proposed(self) -> None:
        assert moves(READY, lists(*IN_FULL)) == set()

    def test_a_renamed_folder_is_the_same_test(self) -> None:
        old = "tests/models/encoders/test_t5.py::"
        given = lists(*((name, old + test.partition("::")[2]) for name, test in IN_FULL))
        assert moves(READY, given) == set()

    def test_a_test_whose_check_is_on_waits_for_somebody_to_disable_it(self) -> None:
        seen = nights(20, "incorrect", failed=10)
        decision = decided(seen, lists((OPS, T5_OPS)))
        assert not decision.moves
        [step] = decision.to_disable
        assert step.test == seen[0].test and step.evidence.in_a_row == 200


class TestNew:
    def test_whatever_it_comes_to_it_goes_op_by_op_and_says_what_is_missing(self) -> None:
        for how in ("passed", "failed", "incorrect"):
            [move] = decided([sample(0, how)], lists()).moves
            assert (move.move, move.list, move.test) == ("add", OPS, T5_OPS)
        [move] = decided([sample(0)], lists()).moves
        assert "23 more good attempts" in move.reason and move.evidence.more == 23

    def test_one_that_was_only_walked(self) -> None:
        [move] = decided([sample(0, entry=T5_SHLO)], lists()).moves
        assert (move.list, move.test) == (OPS, T5_SHLO)
        assert "nothing is known of it end to end" in move.reason

    @pytest.mark.parametrize("nodeid", ["", "no test"])
    def test_one_without_an_id_has_no_place(self, nodeid: str) -> None:
        assert moves([sample(0, nodeid=nodeid)], lists()) == set()


class TestKept:
    def test_an_id_that_does_not_collect_is_never_added(self) -> None:
        given = lists((OPS, T5_OPS))
        wanted = {("add", FULL, T5), ("remove", OPS, T5_OPS)}
        assert moves(READY, given, collected=[T5]) == wanted

    def test_no_test_loses_its_last_place(self) -> None:
        broken = [sample(0, "crashed", failed=2)]
        assert moves(broken, lists((FULL, T5)), collected=[T5]) == set()

    def test_they_are_kept_beside_the_records_with_their_evidence(self, tmp_path: Path) -> None:
        found = decided(READY, lists((OPS, T5_OPS))).moves
        write_moves(tmp_path, found)
        assert read_moves(tmp_path) == found and found[0].evidence.good == 24

    def test_what_an_older_version_wrote_is_read(self, tmp_path: Path) -> None:
        old = b'[{"test":"a.py::t","device":"cpu","move":"add","list":"l","reason":"so"}]'
        (tmp_path / "promotions.json").write_bytes(old)
        assert read_moves(tmp_path) == (Move("a.py::t", "cpu", "add", "l", "so"),)


class TestDevicesThatOnlyCompile:
    def test_the_top_is_e2e_compile(self) -> None:
        seen = [probed(n, outcome=Outcome.REACHED, status=6, device="n150") for n in range(2)]
        given = lists((OPS, T5_OPS), device="n150")
        assert moves(seen, given) == {("add", E2E, T5), ("remove", OPS, T5_OPS)}
        assert moves(seen, lists((E2E, T5), device="n150")) == set()

    def test_a_driver_that_is_lost_for_good_leads_there_too(self) -> None:
        seen = nights(12, "reached", device="n150")
        found = moves(seen, lists(*IN_FULL, device="n150"))
        assert ("add", E2E, T5) in found and ("remove", FULL, T5) in found

    def test_one_of_a_device_that_executes_leaves_when_it_no_longer_compiles(self) -> None:
        given = lists((OPS, T5_OPS), (E2E, T5))
        seen = [*nights(30, "reached", list_name=E2E), sample(30, "failed", list_name=E2E)]
        other = sample(30, entry=YOLO)  # the device executes
        assert ("remove", E2E, T5) not in moves([*seen, other], given)
        seen[-1] = sample(30, "failed", list_name=E2E, failed=4)
        assert ("remove", E2E, T5) in moves([*seen, other], given)


def test_applied_once_there_is_nothing_left_to_propose(tmp_path: Path) -> None:
    chance = random.Random(7)
    entries = [T5, T5_OPS, T5_SHLO, YOLO, YOLO_OPS]
    homes = {T5: (FULL, E2E), YOLO: (FULL, E2E)}
    moved = 0
    for _ in range(80):
        for name in SHIPPED:
            (tmp_path / name.file_name).write_text("")
        given = [
            Move(entry, "cpu", "add", chance.choice(homes.get(entry, (WEEKLY, OPS))), "given")
            for entry in entries
            if chance.random() < 0.5
        ]
        apply(tmp_path, given)
        seen = [_any_sample(chance, night, entries) for night in range(chance.randint(1, 6))]
        before = read_lists(tmp_path)
        found = decided(seen, before).moves
        assert found == decided(chance.sample(seen, len(seen)), before).moves
        apply(tmp_path, found)
        after = read_lists(tmp_path)
        assert decided(seen, after).moves == ()
        assert problems(after, entries, ["cpu"]) == []
        assert {e.identity.model for e in before.entries} <= {
            e.identity.model for e in after.entries
        }
        moved += bool(found)
    assert moved > 20


def _any_sample(chance: random.Random, night: int, entries: list[str]) -> Sample:
    many = chance.choice([1, 12])
    how = chance.choice(sorted(AS))
    counted = {n: many for n in ("passed", "failed") if AS[how].get(n)}
    return sample(night, how, chance.choice(entries), **counted)


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        (T5, T5_OPS),
        (T5_SHLO, T5_OPS),
        ("a.py::test_x[eval-base-full]", "a.py::test_x[eval-base-op_by_op_torch]"),
        ("a.py::test_x[eval]", None),
        ("a.py::test_x", None),
    ],
)
def test_a_flow_is_replaced_where_it_stands(entry: str, changed: str | None) -> None:
    assert with_flow(entry, "op_by_op_torch") == changed


def test_every_op_executes_and_the_whole_model_does_not_compile() -> None:
    walk = sample(1, entry=T5_OPS, status=Status.EXECUTED)
    assert moves([sample(0, "failed"), walk], lists((OPS, T5_OPS))) == set()
