# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Runs with a verdict, for what documents say of changes."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.records.night import (
    NIGHT_SCHEMA,
    Cluster,
    Fix,
    FixList,
    Judgement,
    Moment,
    NightVerdict,
    TestVerdict,
    write_night,
)
from bringup.harness.records.run_dir import read_merged, write_merged
from bringup.harness.records.schema import Outcome, Stage, TestRecord
from tests.unit.run_builder import STARTED, identity, plan_of, record, write_run

EVIL = "=cmd|' /C calc'!A0 @everyone #1 <script>alert(1)</script> `x` | & \x1b[31m\u202e"
DAY = 86_400.0
BERT, VIT, GONE = identity("bert"), identity("vit"), identity("gone")
FIXED = identity("t5")


def judged_run(
    run_dir: Path,
    name: str = "nightly-20261122",
    created: float = STARTED,
    head: str = "Worse: 1 new cause breaks 1 test. 1 fixed.",
    more: Sequence[TestRecord] = (),
    text: str = "stablehlo.scatter refused by TTIR",
) -> Path:
    """A night that broke `bert`, knows of `vit`, fixed `t5` and misses `gone`."""
    records = [
        record(BERT, Outcome.FAILED),
        record(VIT, Outcome.INCORRECT),
        record(FIXED),
        *more,
    ]
    plan = plan_of([*(r.identity for r in records), GONE])
    write_run(run_dir, records, plan=plan, created=created)
    header, written = read_merged(run_dir)
    write_merged(run_dir, msgspec.structs.replace(header, run_id=name), written)
    tonight, before = Moment(name, created), Moment("nightly-20261121", created - DAY)
    tests = (
        _test(BERT.key, Judgement.REGRESSION, "new", tonight, before),
        _test(VIT.key, Judgement.KNOWN, "old", before, None),
        TestVerdict(test=FIXED.key, device="n150", judgement=Judgement.FIXED, last_good=tonight),
        TestVerdict(test=GONE.key, device="n150", judgement=Judgement.MISSING, last_good=before),
    )
    clusters = (
        _cause("old", "aten.fft is not lowered", VIT.key, before, issue="#412", owner="frontend"),
        _cause("new", text, BERT.key, tonight),
    )
    verdict = NightVerdict(
        schema=NIGHT_SCHEMA,
        run=name,
        at=created,
        session="nightly",
        baseline=before,
        head=head,
        counts={t.judgement: 1 for t in tests},
        regressed=True,
        tests=tests,
        clusters=clusters,
        fix_first=(FixList(fixes=(Fix(causes=("new",), advances=(BERT.key,), frees=1),)),),
    )
    write_night(run_dir, verdict)
    return run_dir


def _test(
    key: str, judgement: Judgement, cluster: str, since: Moment, good: Moment | None
) -> TestVerdict:
    return TestVerdict(
        test=key,
        device="n150",
        judgement=judgement,
        outcome=Outcome.FAILED,
        stage=Stage.COMPILE,
        first_bad=since,
        last_good=good,
        cluster=cluster,
        recent="." * 29 + "F",
        command=f"nox -s run -- '{key}'",
        settled=True,
    )


def _cause(name: str, title: str, test: str, first: Moment, **fields: str) -> Cluster:
    return Cluster(
        id=name,
        name=title,
        tests=(test,),
        models=("m",),
        devices=("n150",),
        first_seen=first,
        command=f"nox -s repro -- {name}",
        **fields,  # type: ignore[arg-type]
    )
