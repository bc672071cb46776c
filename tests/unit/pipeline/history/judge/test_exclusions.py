# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from bringup.harness.records.values import Outcome
from bringup.pipeline.history.judge.exclusions import mass_failures, with_exclusions
from bringup.pipeline.history.samples import Excluded, Sample


def sample(test: int, outcome: Outcome, device: str = "n150", **fields: Excluded) -> Sample:
    name = f"m{test}[full-eval]@{device}"
    return Sample(run="r", at=0.0, test=name, device=device, outcome=outcome, **fields)


def night(bad: int, good: int, device: str = "n150") -> list[Sample]:
    return [
        sample(i, Outcome.FAILED if i < bad else Outcome.PASSED, device) for i in range(bad + good)
    ]


def test_four_of_five_failures_of_a_device_are_the_devices_and_nothing_of_it_counts() -> None:
    samples = [*night(8, 2), *night(7, 3, "cpu")]
    assert mass_failures(samples) == {"n150"}
    marked = with_exclusions(samples)
    assert {s.excluded for s in marked if s.device == "n150"} == {Excluded.MASS_FAILURE}
    assert {s.excluded for s in marked if s.device == "cpu"} == {Excluded.NONE}
    assert mass_failures(night(4, 0)) == frozenset()


def test_tests_that_were_bad_already_say_nothing_of_the_device() -> None:
    samples = night(9, 1)
    before = {s.test: i >= 5 for i, s in enumerate(samples)}
    assert mass_failures(samples, before) == {"n150"}
    before = {s.test: i >= 6 for i, s in enumerate(samples)}
    assert mass_failures(samples, before) == frozenset(), "four of them were good"


def test_what_is_no_evidence_is_no_failure_and_keeps_its_reason() -> None:
    infra = [sample(i, Outcome.INFRA, excluded=Excluded.MACHINE) for i in range(9)]
    assert mass_failures(infra) == frozenset()
    assert with_exclusions([*infra, *night(9, 0, "cpu")])[:9] == infra


def test_a_timeout_counts_unless_its_device_hung() -> None:
    samples = [sample(0, Outcome.TIMEOUT), sample(0, Outcome.TIMEOUT, "cpu")]
    marked = with_exclusions(samples, suspect={"n150"})
    assert [s.excluded for s in marked] == [Excluded.SUSPECT_DEVICE, Excluded.NONE]
