# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From run directories through the store to a verdict in the run directory, all parts real."""

from pathlib import Path

from bringup.harness.records.night import Judgement, read_night, write_night
from bringup.harness.records.schema import Failure, Outcome, Stage, Status
from bringup.pipeline.history.causes.clusters import Failing, cluster
from bringup.pipeline.history.causes.fix_first import blocked_by, fix_first
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.judge.explain import with_causes
from bringup.pipeline.history.judge.verdict import Tonight, judge
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from tests.unit import run_builder as made
from tests.unit.pipeline.history.store.made_runs import night

NO_FFT = "error: failed to legalize operation 'stablehlo.fft'"


def test_nights_of_run_directories_become_a_verdict_in_the_newest(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history"))
    vit = made.identity("vit")
    failure = Failure(Stage.COMPILE, "RuntimeError", NO_FFT)
    bad = made.record(vit, Outcome.FAILED, Status.CONVERTED_TO_STABLE_HLO, failure=failure)
    for n in range(15):
        history.add(night(tmp_path, n, [made.record(), made.record(vit)]))
    newest = [night(tmp_path, n, [made.record(), bad]) for n in (15, 16)]
    for run_dir in newest:
        history.add(run_dir)
    given = samples(history)
    columns = columns_of(given)
    tonight = given[-1]
    failures = [
        Failing(s.test, s.device, s.stage or "", s.message, s.failed_op)
        for s in given
        if s.run == tonight.run and not s.good
    ]
    found = cluster(failures)
    verdict = with_causes(
        judge(columns, Tonight(run=tonight.run)), found, fix_first(blocked_by(failures, found))
    )
    write_night(newest[-1], verdict)
    assert read_night(newest[-1]) == verdict
    (one,) = verdict.tests
    assert (one.test, one.judgement, one.settled, one.streak) == (vit.key, Judgement.KNOWN, True, 2)
    assert one.last_good is not None and one.last_good.run == "nightly-014"
    assert one.fingerprint == "1|compile|stablehlo.fft|no legal lowering"
    assert verdict.clusters[0].fingerprints == (one.fingerprint,)
    assert judge(columns, Tonight(run="nightly-015")).tests[0].judgement is Judgement.SUSPECTED
