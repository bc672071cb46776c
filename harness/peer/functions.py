# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""tt-torch's functions for test bodies: skipping, comparing, numbers."""

import enum
import functools
import gc
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pytest
import torch

from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.errors import IncorrectResultError, UsageError
from bringup.harness.records.schema import Status
from bringup.harness.verify import Tolerances, compare, mismatches
from bringup.harness.verify.metrics import measure

P = ParamSpec("P")
R = TypeVar("R")
OpCompilationStatus = enum.IntEnum(  # type: ignore[misc]
    "OpCompilationStatus", {status.name: status.value for status in Status}
)
crashsafe_suffix = "_crashsafe.xml"
"""How the name of the file ends that tt-torch's own conftest writes beside the JUnit file."""


def skip_full_eval_test(
    record_property: Callable[[str, object], None],
    compiler_config: CompilerConfig,
    model_name: str,
    bringup_status: str,
    reason: str,
    model_group: object = "generality",
    model_name_filter: str | Sequence[str] | None = None,
    forge_models_test: bool = False,
) -> bool:
    """Skip a test that would execute the whole model; False of one that goes on.

    `model_name_filter` is a name, or several; of others nothing is skipped. The reason, and the
    status it is known by, are on the test's record.
    """
    wanted = [model_name_filter] if isinstance(model_name_filter, str) else model_name_filter
    if wanted is not None and model_name not in wanted:
        return False
    if compiler_config.compile_depth is not CompileDepth.EXECUTE:
        return False
    tags = {
        "bringup_status": str(bringup_status),
        "model_name": model_name,
        "forge_models_test": forge_models_test,
    }
    record_property("tags", json.dumps(tags))
    record_property("group", str(getattr(model_group, "value", model_group)))
    pytest.skip(f"{bringup_status}: {reason}")


def verify_against_golden(
    golden_tensors: tuple[Any, ...],
    calculated_tensors: tuple[Any, ...],
    assert_pcc: bool,
    assert_atol: bool,
    required_pcc: float = 0.99,
    required_atol: float | None = None,
    relative_atol: float | None = None,
    disable_print: bool = False,
) -> tuple[list[float | None], list[float | None], bool, bool, list[float]]:
    """Compare tensors by our own checks; PCCs, differences, whether each hold, and their limits.

    A shape or a place of NaN that differs is wrong whatever is asserted.

    Raises:
        UsageError: not exactly one of `required_atol` and `relative_atol` is given.
        IncorrectResultError: what is asserted does not hold.
    """
    if (required_atol is None) == (relative_atol is None):
        raise UsageError("verify_against_golden takes one of required_atol and relative_atol")
    asked = Tolerances(
        required_pcc=required_pcc,
        required_atol=required_atol,
        relative_atol=relative_atol,
        assert_pcc=assert_pcc,
        assert_atol=assert_atol,
    )
    checks = compare(golden_tensors, calculated_tensors, asked)
    found = {"pcc": list[float | None](), "atol": list[float | None]()}
    held = {"pcc": True, "atol": True}
    for output in checks:
        by_metric = {check.metric: check for check in output.checks}
        for metric, values in found.items():
            check = by_metric.get(metric)
            values.append(None if check is None else check.measured.value)
        for metric, check in by_metric.items():
            for decides in _DECIDE.get(metric, ("pcc", "atol") if check.asserted else ()):
                held[decides] &= check.ok
    if not disable_print:
        for output, pcc, atol in zip(checks, found["pcc"], found["atol"], strict=True):
            print(f"output {output.path or 0}: PCC {pcc}, atol {atol}")
    if wrong := mismatches(checks):
        raise IncorrectResultError("; ".join(wrong[:5]))
    limits = [_limit(golden, required_atol, relative_atol) for golden in golden_tensors]
    return found["pcc"], found["atol"], held["pcc"], held["atol"], limits


_DECIDE = {"pcc": ("pcc",), "atol": ("atol",), "relative_atol": ("atol",)}
"""By metric what it decides; whatever else is asserted, as the shape, decides both."""


def _limit(golden: Any, required: float | None, relative: float | None) -> float:
    if required is not None:
        return required
    if not isinstance(golden, torch.Tensor) or not golden.numel():
        return 0.0
    finite = golden[torch.isfinite(golden)]
    return float(finite.abs().max()) * (relative or 0.0) if finite.numel() else 0.0


def calculate_pcc(tensor: torch.Tensor, golden_tensor: torch.Tensor) -> float:
    """Pearson's correlation of two tensors of one shape; NaN where it is not defined."""
    found = measure(golden_tensor, tensor).pcc
    return math.nan if found is None else found


def calculate_atol(tensor: torch.Tensor, golden_tensor: torch.Tensor) -> float:
    """max|tensor - golden|; NaN where they disagree about NaN, 0 where nothing is to compare."""
    found = measure(golden_tensor, tensor)
    if found.disagreements:
        return math.nan
    return 0.0 if found.max_difference is None else found.max_difference


def onnx_output_to_torch(output: Sequence[Any]) -> list[torch.Tensor]:
    """onnxruntime's arrays as tensors."""
    return [torch.from_numpy(np.asarray(value)) for value in output]


def clear_dynamo_cache() -> None:
    """Forget what `torch.compile` has compiled."""
    torch._dynamo.reset()
    gc.collect()


def with_torch_dynamo_cleanup(function: Callable[P, R]) -> Callable[P, R]:
    """The function, after which nothing of `torch.compile` stays."""

    @functools.wraps(function)
    def cleaned(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            torch._dynamo.reset()

    return cleaned


def setup_xla_spmd_environment() -> None:
    """Refuse: it is a tester that says how weights are divided.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "setup_xla_spmd_environment is none here: ModelTester("
        "tensor_parallel_mode=True) with get_mesh_config and load_shard_spec divides weights,"
        " CompilerConfig.mesh_shape with automatic_parallelization the batch"
    )
