# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Outputs made for the tests of verification, and looking into what came of them."""

import math
from typing import Any

import torch

from bringup.harness.records.schema import (
    Check,
    Identity,
    ModelStatus,
    Outcome,
    OutputCheck,
    Status,
    TestRecord,
)
from bringup.harness.verify import Tolerances

NAN, INF = math.nan, math.inf
OFF = Tolerances(assert_pcc=False, assert_atol=False, assert_exact=False, assert_tokens=False)


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    real = torch.float64 if not dtype.is_complex else torch.complex128
    return torch.randn(*shape, generator=generator, dtype=real).to(dtype)


def changed(tensor: torch.Tensor, index: Any, value: Any) -> torch.Tensor:
    tensor = tensor.clone()
    tensor[index] = value
    return tensor


X = randn(64, 32)


def check(metric: str, outputs: tuple[OutputCheck, ...], path: str | None = None) -> Check:
    (found,) = (
        c for o in outputs if path in (None, o.path) for c in o.checks if c.metric == metric
    )
    return found


def record(*outputs: OutputCheck) -> TestRecord:
    return TestRecord(
        identity=Identity("m"),
        nodeid="",
        outcome=Outcome.INCORRECT,
        status=Status.EXECUTED,
        model_status=ModelStatus.INCORRECT_RESULT,
        outputs=outputs,
    )
