# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A machine that never ran a test knows from the history how long it takes."""

import io
from pathlib import Path

from bringup.harness.records.schema import Outcome
from bringup.pipeline.history.store.history import History
from bringup.pipeline.messages import Speaker
from bringup.pipeline.planning.durations import Durations, Estimator, Sample
from bringup.pipeline.planning.remembered import with_history
from tests.unit import run_builder as made
from tests.unit.pipeline.history.store.made_runs import night


def test_estimates_come_from_nights_that_ran_elsewhere(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history"))
    slow = made.identity("slow")
    for n, seconds in enumerate((40.0, 44.0)):
        record = made.record(
            slow, started=made.STARTED, ended=made.STARTED + seconds, seconds=seconds
        )
        lost = made.record(made.identity("lost"), Outcome.INFRA, seconds=900.0)
        history.add(night(tmp_path, n, [made.record(), record, lost]))
    said = io.StringIO()
    found = with_history(Durations(), history.address, {}, Speaker(said))
    assert [s.seconds for s in found.samples[slow.key]] == [40.0, 44.0]
    assert made.identity("lost").key not in found.samples and not said.getvalue()
    assert Estimator(found)(slow) == 43.0
    own = Durations({slow.key: (Sample(9.0, made.STARTED),)})  # what ran here counts
    assert [
        s.seconds for s in with_history(own, history.address, {}, Speaker(said)).samples[slow.key]
    ] == [9.0]


def test_memory_is_expected_from_nights_too(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history"))
    test, elsewhere = made.identity("slow"), made.identity("slow", "p150")
    record = made.record(test, seconds=40.0)
    history.add(night(tmp_path, 0, [record]))
    said = io.StringIO()
    peak = record.peak_rss
    assert peak is not None
    expected = Estimator(with_history(Durations(), history.address, {}, Speaker(said)))
    assert expected.memory(test) == expected.memory(elsewhere) == peak
    assert expected.memory(made.identity("other")) is None, "another model says nothing of it"
    unmeasured = Durations({test.key: (Sample(9.0, made.STARTED),)})  # as an older version wrote
    here = Estimator(with_history(unmeasured, history.address, {}, Speaker(said)))
    assert (here(test), here.memory(test)) == (9.0, peak)
    own = Durations({test.key: (Sample(9.0, made.STARTED, 5), Sample(9.0, made.STARTED + 1, 7))})
    assert Estimator(with_history(own, history.address, {}, Speaker(said))).memory(test) == 7


def test_a_history_that_is_not_there_or_cannot_be_read_costs_nothing(tmp_path: Path) -> None:
    said = io.StringIO()
    own = Durations({"a[full-eval]@cpu": (Sample(1.0, 2.0),)})
    for address in ("none", str(tmp_path / "nothing")):
        assert with_history(own, address, {}, Speaker(said)) == own
    assert said.getvalue() == ""
    assert with_history(own, "nonsense://x", {}, Speaker(said)) == own
    assert said.getvalue().startswith(
        "warning: estimates are without the history at nonsense://x: "
    )
