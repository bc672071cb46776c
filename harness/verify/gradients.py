# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Compare what a training step gives: the loss, and gradients on the scale of them all."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from bringup.harness.records.schema import OutputCheck
from bringup.harness.verify.compare import compare
from bringup.harness.verify.flatten import flatten
from bringup.harness.verify.natural import Natural, Passed, largest
from bringup.harness.verify.tolerances import Tolerances


def compare_training(
    golden: Mapping[str, object],
    actual: Mapping[str, object],
    tolerances: Tolerances,
    prefix: str,
    natural: Natural | None = None,
    passed: Passed = MappingProxyType({}),
) -> tuple[OutputCheck, ...]:
    """Check a step's outputs by name; those whose name begins with `prefix` are gradients.

    A gradient may be zero but for rounding while others are not, so what counts as noise is
    taken from the largest of them; `natural` says which are. Arguments and what is returned are
    as `compare` has them: the loss and whatever else first, then the gradients.

    Raises:
        UnsupportedOutputError: something in golden or actual cannot be taken apart.
    """
    gradients = {name: value for name, value in golden.items() if name.startswith(prefix)}
    scale = gradient_scale(gradients)
    scaled = dataclasses.replace(tolerances, scale=scale, joins_short_rows=True)
    return (
        *compare(
            _without(golden, gradients),
            _without(actual, gradients),
            tolerances,
            natural=natural,
            passed=passed,
        ),
        *compare(
            gradients,
            {name: actual[name] for name in actual if name in gradients},
            scaled,
            natural=natural,
            passed=passed,
        ),
    )


def _without(outputs: Mapping[str, object], names: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in outputs.items() if name not in names}


def gradient_scale(golden: object) -> float:
    """The largest finite magnitude among all floats of `golden`, in their unit; `Tolerances.scale`.

    Raises:
        UnsupportedOutputError: something in it cannot be taken apart.
    """
    return largest(leaf.value for leaf in flatten(golden))
