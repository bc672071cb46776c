# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The nights of a verdict, as columns that pages draw from."""

import numpy as np

from bringup.harness.records.trends import NO_EVIDENCE
from bringup.harness.records.values import Outcome
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.judge.trends import trends_of
from bringup.pipeline.history.judge.verdict import Tonight, judge
from bringup.pipeline.history.samples import Excluded, Sample

CODE = {outcome: at + 1 for at, outcome in enumerate(Outcome)}


def _sample(test: str, night: int, outcome: Outcome = Outcome.PASSED, **fields: object) -> Sample:
    values = {"run": f"n{night}", "at": 86400.0 * night, "device": "cpu"} | fields
    return Sample(test=test, outcome=outcome, **values)  # type: ignore[arg-type]


def test_every_cell_is_the_attempt_that_counts_that_night() -> None:
    samples = [_sample("a@cpu", night, pcc=0.5 + night / 100, status=7) for night in range(4)]
    samples[2] = _sample("a@cpu", 2, Outcome.INFRA, excluded=Excluded.MACHINE)
    samples.append(
        _sample("a@cpu", 3, Outcome.CRASHED, excluded=Excluded.SUPERSEDED, at=86400.0 * 3)
    )
    samples += [_sample("b@cpu", 3, memory=3 << 20, seconds=2.0), _sample("gone@cpu", 0)]
    columns = columns_of(samples)
    found = trends_of(columns, judge(columns, Tonight(run="n3")))
    assert [moment.run for moment in found.nights] == ["n0", "n1", "n2", "n3"]
    assert found.tests == ("a@cpu", "b@cpu")
    passed, infra = CODE[Outcome.PASSED], CODE[Outcome.INFRA] + NO_EVIDENCE
    assert list(found.outcome) == [passed, passed, infra, passed, 0, 0, 0, passed]
    pcc = np.frombuffer(found.pcc, "<f4").reshape(2, 4)
    assert np.allclose(pcc[0], [0.5, 0.51, np.nan, 0.53], equal_nan=True)
    assert np.frombuffer(found.memory, "<f4")[-1] == 3.0


def test_a_baseline_that_was_named_is_a_night_of_it() -> None:
    columns = columns_of([_sample("a@cpu", night) for night in range(3)])
    found = trends_of(columns, judge(columns, Tonight(run="n0", baseline="n2")))
    assert [moment.run for moment in found.nights] == ["n0", "n2"]
    assert list(found.outcome) == [1, 1]
