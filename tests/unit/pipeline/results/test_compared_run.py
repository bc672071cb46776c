# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run laid out beside another, whose id and folders may be anybody's."""

from pathlib import Path

import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records.night import NIGHT_SCHEMA, Moment, NightVerdict, read_night
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome
from bringup.harness.records.trends import TRENDS_SCHEMA, Trends
from bringup.pipeline.results.compared_run import write_compared
from tests.unit.run_builder import RUN_ID, STARTED, record, write_run


def compared(run_dir: Path, baseline: str) -> Path:
    verdict = NightVerdict(
        schema=NIGHT_SCHEMA, run=RUN_ID, at=STARTED, baseline=Moment(baseline, STARTED - 1)
    )
    trends = Trends(schema=TRENDS_SCHEMA, run=RUN_ID, outcomes=tuple(Outcome))
    return write_compared(run_dir, run_dir.parent / "absent", verdict, trends)


@pytest.mark.parametrize(
    "baseline", ["nightly-1", "../../victim", "..", ".", "/", "a\0b", "x" * 300]
)
def test_an_id_is_no_path(tmp_path: Path, baseline: str) -> None:
    run_dir = write_run(tmp_path / "run", [record()])
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "precious").touch()
    for _ in range(2):  # the second time a comparison is there, and is removed
        into = compared(run_dir, baseline)
        assert into.parent == run_dir / "against"
        assert read_merged(into) == read_merged(run_dir) and read_night(into) is not None
    assert (tmp_path / "victim" / "precious").exists()


def test_where_it_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    run_dir = write_run(tmp_path / "run", [record()])
    (tmp_path / "elsewhere" / "b").mkdir(parents=True)
    (run_dir / "against").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="is a link"):
        compared(run_dir, "b")
    assert (tmp_path / "elsewhere" / "b").is_dir()
    (run_dir / "against").unlink()
    (run_dir / "against").write_text("a file")
    with pytest.raises(RecordError, match="cannot write the comparison"):
        compared(run_dir, "b")
