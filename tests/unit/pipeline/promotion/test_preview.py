# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The last nights again, under a changed policy; and which runs of a history decide."""

from pathlib import Path

import msgspec

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.pipeline.history.samples import LOCAL
from bringup.pipeline.history.store.history import History
from bringup.pipeline.promotion.decision import Situation, situation_of
from bringup.pipeline.promotion.ladder import Standing
from bringup.pipeline.promotion.policy import Policy, default_policy
from bringup.pipeline.promotion.preview import Preview, lines_of, preview, write_preview
from bringup.pipeline.results.promote_run import Asked, samples_of
from tests.unit import run_builder as made
from tests.unit.pipeline.promotion.made_nights import (
    FULL,
    IN_FULL,
    IN_OPS,
    T5,
    lists,
    nights,
    probed,
    sample,
    with_policy,
)

NIGHTS = [
    *nights(40, list_name=FULL),
    sample(40, "failed", failed=4, list_name=FULL),
    *(probed(41 + i) for i in range(5)),
]


def situation(policy: Policy) -> Situation:
    return situation_of(NIGHTS, lists(*IN_OPS), policy)


def test_what_would_have_moved_night_by_night(tmp_path: Path) -> None:
    found = preview(situation(default_policy()), 30)
    assert len(found.nights) == 30
    assert [(s.was, s.to) for s in found.steps] == [
        (Standing.FULL, Standing.OP_BY_OP),
        (Standing.OP_BY_OP, Standing.FULL),
    ]
    assert [n.run for n in found.nights if n.steps] == ["n40", "n42"]
    said = "nights: 30; moves that they would have made: 2, 1 of them up; tests that move: 1"
    assert lines_of(found)[0] == said
    data = write_preview(found, tmp_path).read_bytes()
    assert msgspec.json.decode(data, type=Preview) == found
    assert found.nights[-1].standing == {Standing.FULL: 1}


def test_another_policy_moves_otherwise() -> None:
    strict = with_policy(demote={"error_rate": 1e-9})
    assert preview(situation(strict), 30).steps == []
    slow = with_policy(promote={"nights": 4})
    assert [n.run for n in preview(situation(slow), 30).nights if n.steps] == ["n40", "n44"]


def test_the_end_is_what_is_decided_today() -> None:
    today = situation_of(NIGHTS[:41], lists(*IN_FULL), default_policy())
    [step] = preview(today, 1).steps
    assert step.evidence.in_a_row == 4


def test_the_desk_counts_for_tests_on_no_list(tmp_path: Path) -> None:
    identity = identity_of(T5, "cpu")
    record = made.record(identity, nodeid=nodeid_on(T5, "cpu"))
    plan = msgspec.structs.replace(made.plan_of([identity]), session=LOCAL)
    run_dir = made.write_run(tmp_path / "desk", [record], plan=plan)
    address = str(tmp_path / "history")
    History(address).add(run_dir)
    everything = Asked(tmp_path, address)
    assert samples_of(everything, 60, listed={identity.key}) == []
    assert len(samples_of(everything, 60, listed=())) == 1
    assert len(samples_of(Asked(tmp_path, address, run_dir), 60)) == 1
    assert len(samples_of(Asked(tmp_path, "none", run_dir), 60)) == 1
