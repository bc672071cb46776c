# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A record's stages as spans of its time."""

import pytest

from bringup.harness.records.schema import Stage, StageResult
from bringup.reports.model.timeline import timeline
from tests.unit.run_builder import record


def test_a_stage_that_did_not_come_back_takes_what_time_is_left() -> None:
    stages = (
        StageResult(Stage.LOAD, True, 2.0),
        StageResult(Stage.COMPILE, False, None),
    )
    spans = timeline(record(stages=stages, started=0.0, ended=10.0))
    assert [(s.x, s.width) for s in spans] == [(0.0, 20.0), (20.0, 80.0)]


@pytest.mark.parametrize("wall", [-5.0, 0.0, 1e308])
def test_a_line_of_impossible_times_stays_on_the_page(wall: float) -> None:
    stages = tuple(StageResult(stage, True, wall) for stage in Stage)
    for span in timeline(record(stages=stages, started=0.0, ended=1.0)):
        assert 0 <= span.x <= 100
        assert 0 <= span.width <= 100 - span.x + 0.01
