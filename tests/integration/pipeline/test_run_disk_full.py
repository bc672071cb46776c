# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up in the middle of a run, on a small file system of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome
from tests.integration.pipeline.small_disk import small_disk
from tests.integration.small_fleet import SmallFleet

FILLERS = """
@full
def test_fill(flow):
    with open(os.environ["BRINGUP_RUN_DIR"] + "/filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            time.sleep(1000)
@full
@pytest.mark.parametrize("size", range(30))
def test_small(size, flow): time.sleep(0.2)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, megabytes=16) as place:
        yield place


def test_a_full_disk_ends_the_run_with_every_word_on_it(tmp_path: Path, disk: Path) -> None:
    fleet = SmallFleet(tmp_path / "fleet")
    fleet.file("test_fill", FILLERS)
    output = disk / "out"
    code, said = fleet.run(
        "run", "tests/models", "--device", "cpu", "--workers", "2", output=output
    )
    assert code == 3, said
    assert f"the disk of {output} is full" in said
    outcomes = fleet.outcomes(output)
    assert len(outcomes) == 31
    assert outcomes["fill[full-eval]@cpu"] is Outcome.INFRA
    assert set(outcomes.values()) <= {Outcome.INFRA, Outcome.NOT_RUN, Outcome.PASSED}
    assert fleet.processes() == []


def test_a_disk_without_room_for_the_records_is_refused(tmp_path: Path, disk: Path) -> None:
    fleet = SmallFleet(tmp_path / "fleet")
    fleet.file("test_fine", "@full\ndef test_fine(flow): pass\n")
    with (disk / "filler").open("wb") as file:
        file.write(bytes(16 * 1024**2 - 64 * 1024))
    code, said = fleet.run("run", "tests/models", "--device", "cpu", output=disk / "out")
    assert code == 3
    assert "no room for the records of 1 tests" in said
    assert fleet.processes() == []
