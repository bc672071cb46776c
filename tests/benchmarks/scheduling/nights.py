# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Nights to schedule: made fleets, and measured durations with the estimates of an older night."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bringup.harness.records.naming import identity_of, nodeid_on
from bringup.harness.records.schema import Identity, PlannedTest
from tests.benchmarks.scheduling.simulate import Parts


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


def boarded(seed: int, kinds: Sequence[str]) -> tuple[list[PlannedTest], dict[str, Parts]]:
    """60 models on `cpu` and boards, half of a model's time in its front end; estimates are noisy.

    What a test takes beside its front end is known of it: its model's other tests load the model.
    """
    dice = np.random.default_rng(seed)
    listed: list[PlannedTest] = []
    parts: dict[str, Parts] = {}
    for model in range(60):
        typical = float(dice.lognormal(3.5, 0.8))
        for kind in kinds:
            board = kind != "cpu"
            device = typical * (0.25 * float(dice.lognormal(0, 0.3)) if board else 0.35)
            own = Parts(0.45 * typical, device, typical * (0.1 if board else 0.2))
            identity = Identity(model=f"m{model}", flow="full", mode="eval", device=kind)
            noise = float(dice.lognormal(0, 0.3))
            shared = own.front / len(kinds)
            seconds = (shared + own.device + own.rest) * noise
            parts[identity.key] = own
            listed.append(
                PlannedTest(
                    identity,
                    f"tests/m{model}.py::t",
                    estimate_s=seconds,
                    estimate_device_s=own.device * noise,
                    estimate_front_s=own.front * noise,
                )
            )
    return [listed[i] for i in dice.permutation(len(listed))], parts


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
