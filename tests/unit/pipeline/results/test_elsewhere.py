# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What failed on one board is run again on another, and what came of that is said."""

from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.run_dir import write_merged
from bringup.harness.records.schema import Outcome, PlannedTest, RunHeader
from bringup.pipeline.results.elsewhere import avoiding, boards_by_test, works_elsewhere
from tests.unit.run_builder import identity, nodeid, record, stages

NET, OTHER = identity("net", "n150"), identity("other", "n150")


def test_the_boards_of_a_run_are_those_its_stages_name(tmp_path: Path) -> None:
    on = tuple(msgspec.structs.replace(stage, attributes={"board": "n150 2"}) for stage in stages())
    header = RunHeader(run_id="r", session="nightly", created=1.0)
    records = [record(NET, Outcome.CRASHED, stages=on), record(OTHER)]
    write_merged(tmp_path, header, records)
    assert boards_by_test(tmp_path, good=False) == {NET.key: {"n150 2"}}
    assert boards_by_test(tmp_path, good=True) == {}, "of the other none is named"


def test_a_test_is_kept_off_the_boards_it_failed_on() -> None:
    test = PlannedTest(NET, nodeid(NET), environment={"A": "b"})
    assert avoiding(test, ()) is test
    kept_off = {"A": "b", "BRINGUP_AVOID_BOARDS": "n150 0,n150 2"}
    assert avoiding(test, {"n150 2", "n150 0"}).environment == kept_off


@pytest.mark.parametrize(
    ("failed", "good", "said"),
    [
        ({"n150 2"}, {"n150 0"}, "net works elsewhere: bad on n150 2, good on n150 0"),
        ({"n150 2"}, {"n150 0", "n150 2"}, ""),
        ({"n150 2"}, set(), ""),
        (set(), {"n150 0"}, ""),
    ],
)
def test_a_board_is_to_blame_only_if_the_test_is_good_on_others(
    failed: set[str], good: set[str], said: str
) -> None:
    assert works_elsewhere("net", failed, good) == said
