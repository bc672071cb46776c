# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Samples of a night that are no evidence, seen only when the whole night lies there."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from bringup.harness.records.values import Outcome
from bringup.pipeline.history.samples import Excluded, Sample

MASS_SHARE = 0.8
"""Of a device's tests: when as many fail in one night, it was not the tests (Trunk's rule)."""
FEWEST_TESTS = 5
"""With fewer tests on a device nothing is called a mass failure."""


def with_exclusions(
    night: Iterable[Sample],
    good_before: Mapping[str, bool] | None = None,
    suspect: Collection[str] = (),
) -> list[Sample]:
    """One night's samples, those that are no evidence marked as such; other marks stay.

    Args:
        night: samples of one run.
        good_before: by test, whether its last evidence before was good. A test that was bad
            already says nothing of the device tonight; None where nothing is known: then every
            test counts.
        suspect: devices that hung during the run and were not found well since.
    """
    samples = list(night)
    failed = mass_failures(samples, good_before)
    return [_marked(sample, failed, suspect) for sample in samples]


def mass_failures(
    night: Iterable[Sample], good_before: Mapping[str, bool] | None = None
) -> frozenset[str]:
    """Devices on which 80 % or more of the tests failed that could have been expected not to."""
    bad: dict[str, list[bool]] = defaultdict(list)
    for sample in night:
        if not sample.excluded and (good_before is None or good_before.get(sample.test)):
            bad[sample.device].append(not sample.good)
    return frozenset(
        device
        for device, each in bad.items()
        if len(each) >= FEWEST_TESTS and sum(each) >= MASS_SHARE * len(each)
    )


def _marked(sample: Sample, failed: Collection[str], suspect: Collection[str]) -> Sample:
    why = sample.excluded
    if why:
        return sample
    if sample.device in failed:  # what passed there that night says no more than what failed
        why = Excluded.MASS_FAILURE
    elif sample.device in suspect and sample.outcome is Outcome.TIMEOUT:
        why = Excluded.SUSPECT_DEVICE
    return msgspec.structs.replace(sample, excluded=why) if why else sample
