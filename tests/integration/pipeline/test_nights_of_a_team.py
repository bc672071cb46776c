# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Two machines' nights on one history at s3://, by a real S3 service (moto's server)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.records.night import Judgement, read_night
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from tests.integration.pipeline.test_nights import NET, OTHER, TESTS
from tests.integration.small_fleet import SmallFleet, finish
from tests.s3_service import s3_service, variables_of

HISTORY = "s3://nights/team"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with s3_service("nights") as endpoint:
        for name, value in variables_of(endpoint, tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        yield


def test_what_one_machine_remembered_the_other_is_judged_by(service: None, tmp_path: Path) -> None:
    machines = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        fleet = SmallFleet(tmp_path / name)
        fleet.file("test_night", TESTS)
        fleet.write_list(NIGHTLY_FULL, cpu=[NET, OTHER])
        machines.append(fleet)
    first, second = machines
    asked = ("nightly", "--device", "cpu", "--workers", "1", "--history", HISTORY)
    code, said = finish(first.start(*asked), timeout_s=300)
    assert code == 0 and "the first of its kind: 0 new, 0 known" in said, said
    (second.root / "broken").touch()
    code, said = finish(second.start(*asked, "--confirm", "60s"), timeout_s=300)
    assert code == 1 and "1 new, 0 known; first: net[full-eval]@cpu, regression" in said, said
    verdict = read_night(second.output)
    assert verdict is not None and verdict.baseline is not None and verdict.regressed
    assert [t.judgement for t in verdict.tests] == [Judgement.REGRESSION]
    said = finish(first.start_plain("why", "--history", HISTORY), timeout_s=300)[1]
    assert "aten.special_airy_ai" in said  # the first machine reads what the second wrote
    code, said = finish(first.start_plain("history", "verify", "--history", HISTORY), timeout_s=300)
    assert code == 0 and "2 runs" in said
    assert not (first.root / "results" / "history").exists()
