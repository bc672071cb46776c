# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""IR of the last good night lies beside tonight's, and both are in the page."""

from pathlib import Path

import msgspec

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.night import NIGHT_SCHEMA, Judgement, Moment, NightVerdict, TestVerdict
from bringup.harness.records.schema import Outcome, TestRecord
from bringup.harness.records.trends import TRENDS_SCHEMA, Trends, write_trends
from bringup.pipeline.results.earlier_texts import earlier_texts
from bringup.reports import catalog
from bringup.reports.build import build
from tests.unit.reports.html.unpacked import block, details
from tests.unit.run_builder import RUN_ID, identity, keep, record, stages, write_run

T5, VIT = identity("t5"), identity("vit")


def _record(run_dir: Path, text: str, outcome: Outcome = Outcome.PASSED) -> TestRecord:
    artifacts = (keep(run_dir, text, "ttir"), keep(run_dir, "the same", "stablehlo"))
    return record(T5, outcome, stages=stages(artifacts=artifacts))


def _verdict(*, last_good: str) -> NightVerdict:
    new = {"device": "n150", "judgement": Judgement.REGRESSION}
    tests = (
        TestVerdict(test=T5.key, last_good=Moment(last_good, 0.0), **new),
        TestVerdict(test=VIT.key, last_good=Moment("gone", 0.0), **new),
    )
    return NightVerdict(schema=NIGHT_SCHEMA, run=RUN_ID, at=1.0, tests=tests)


def test_what_differs_from_the_last_good_night_is_kept_and_shown(tmp_path: Path) -> None:
    before, now = tmp_path / "before", tmp_path / "now"
    write_run(before, [_record(before, "module {\n a\n}\n")])
    write_run(now, [_record(now, "module {\n b\n}\n", Outcome.FAILED)])
    (found,) = earlier_texts(now, _verdict(last_good="before"))
    assert (found.test, found.run, found.artifact.level) == (T5.key, "before", "ttir")
    assert ArtifactStore(now).get(found.artifact) == b"module {\n a\n}\n"
    trends = Trends(schema=TRENDS_SCHEMA, run=RUN_ID, outcomes=tuple(Outcome), earlier=(found,))
    write_trends(now, msgspec.structs.replace(trends))
    build(now, reporters=catalog.chosen(["html"]))
    page = (now / "index.html").read_text()
    (detail,) = details(page)
    ((test, level, run, old, new, *addresses),) = detail["t"]
    assert (test, level, run) == (T5.key, "ttir", "before")
    assert block(page, f"text-{old}") == b"module {\n a\n}\n"
    assert block(page, f"text-{new}") == b"module {\n b\n}\n"
    assert all((now / address).is_file() for address in addresses)


def test_what_is_no_longer_there_is_left_out(tmp_path: Path) -> None:
    now = tmp_path / "now"
    write_run(now, [_record(now, "b", Outcome.FAILED)])
    assert earlier_texts(now, _verdict(last_good="pruned")) == ()
