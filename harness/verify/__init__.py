# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Verification: a golden output and an actual one in, checks and a verdict out."""

from bringup.harness.verify.arithmetic import coarsest_of
from bringup.harness.verify.compare import compare, mismatches, nothing_finite, verdict
from bringup.harness.verify.flatten import Leaf, UnsupportedOutputError, flatten
from bringup.harness.verify.gradients import compare_training, gradient_scale
from bringup.harness.verify.kinks import KINK_DRAWS, Turned, Watched, turned_over
from bringup.harness.verify.natural import Asked, Natural, Passed, natural_errors, settled
from bringup.harness.verify.reference import Float64
from bringup.harness.verify.samples import SAMPLES, Rerounded, Spread
from bringup.harness.verify.tokens import compare_tokens
from bringup.harness.verify.tolerances import Tolerances

__all__ = [
    "KINK_DRAWS",
    "SAMPLES",
    "Asked",
    "Float64",
    "Leaf",
    "Natural",
    "Passed",
    "Rerounded",
    "Spread",
    "Tolerances",
    "Turned",
    "UnsupportedOutputError",
    "Watched",
    "coarsest_of",
    "compare",
    "compare_tokens",
    "compare_training",
    "flatten",
    "gradient_scale",
    "mismatches",
    "natural_errors",
    "nothing_finite",
    "settled",
    "turned_over",
    "verdict",
]
