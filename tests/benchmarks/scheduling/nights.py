# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights to schedule: made fleets, and measured durations with the estimates of an older night."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import Identity, PlannedTest


class Night(NamedTuple):
    """Tests in file order, with estimates, and what they take."""

    name: str
    tests: list[PlannedTest]
    truth: dict[str, float]
    """Seconds by key."""


def made(
    seed: int, tests: int = 784, noise: float = 0.3, unknown: float = 0.2, devices: int = 0
) -> Night:
    """Models of `devices` tests, of one to four without; times are lognormal, estimates noisy."""
    dice = np.random.default_rng(seed)
    listed: list[PlannedTest] = []
    truth: dict[str, float] = {}
    while len(listed) < tests:
        model, typical = f"m{len(listed)}", dice.lognormal(3.5, 1.0)
        of_model = devices or int(dice.integers(1, 5))
        for device in range(min(of_model, tests - len(listed))):
            identity = Identity(model=model, flow="full", mode="eval", device=f"d{device}")
            seconds = float(typical * dice.lognormal(0, 0.3))
            known = None if dice.random() < unknown else seconds * float(dice.lognormal(0, noise))
            truth[identity.key] = seconds
            listed.append(PlannedTest(identity, f"tests/{model}.py::t", estimate_s=known))
    order = dice.permutation(len(listed))
    return Night(f"made {seed}", [listed[i] for i in order], truth)


def measured(
    path: Path, seed: int, noise: float, unknown: float, older: Path | None = None
) -> Night:
    """Durations by pytest id as truth; estimates are those of `older`, or noisy ones."""
    dice = np.random.default_rng(seed)
    seconds = {t: s for t, s in json.loads(path.read_text("utf-8")).items()}
    estimates = json.loads(older.read_text("utf-8")) if older else None
    listed, truth = [], {}
    for test, took in seconds.items():
        identity = identity_of(test, "n150")
        if estimates is None:
            guess = took * float(dice.lognormal(0, noise))
            known = None if dice.random() < unknown else guess
        else:
            known = estimates.get(test)
        truth[identity.key] = took
        listed.append(PlannedTest(identity, nodeid_on(test, "n150"), estimate_s=known))
    return Night(f"{path.stem}, noise {noise:g}, seed {seed}", listed, truth)
