# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Programs to compile: the seven base models as artifacts, two small ones, ops."""

import os
import subprocess
import sys
from pathlib import Path

from torch_mlir import ir

from bringup.harness.mlir import TorchMlir
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import Stage, TestRecord
from tests.benchmarks.op_by_op.nights import BASE_MODELS, ROOT, child_environment

_SUFFIX = ".stablehlo"
OPS = tuple(
    f"func.func @main({arguments}) -> {result} {{\n{body}\nreturn %0 : {result}\n}}"
    for arguments, result, body in (
        (
            "%a: tensor<128x768xf32>, %b: tensor<768x768xf32>",
            "tensor<128x768xf32>",
            "%0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]"
            " : (tensor<128x768xf32>, tensor<768x768xf32>) -> tensor<128x768xf32>",
        ),
        (
            "%a: tensor<1x128x768xf32>",
            "tensor<1x128x768xf32>",
            "%0 = stablehlo.tanh %a : tensor<1x128x768xf32>",
        ),
        (
            "%a: tensor<1x128x768xf32>, %b: tensor<1x128x768xf32>",
            "tensor<1x128x768xf32>",
            "%0 = stablehlo.add %a, %b : tensor<1x128x768xf32>",
        ),
        (
            "%a: tensor<12x128x64xf32>",
            "tensor<12x64x128xf32>",
            "%0 = stablehlo.transpose %a, dims = [0, 2, 1]"
            " : (tensor<12x128x64xf32>) -> tensor<12x64x128xf32>",
        ),
        (
            "%a: tensor<1x3x32x32xf32>, %k: tensor<8x3x3x3xf32>",
            "tensor<1x8x32x32xf32>",
            "%0 = stablehlo.convolution(%a, %k)"
            " dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1],"
            " window = {stride = [1, 1], pad = [[1, 1], [1, 1]]}"
            " {batch_group_count = 1 : i64, feature_group_count = 1 : i64}"
            " : (tensor<1x3x32x32xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x32x32xf32>",
        ),
    )
)
"""Ops of the models' sizes, as text."""


def small() -> dict[str, bytes]:
    """A matrix product and a convolution."""
    mlir = TorchMlir()
    found = {}
    for name, text in (("product", OPS[0]), ("convolution", OPS[4])):
        with mlir.context:
            found[name] = mlir.portable(ir.Module.parse(text))
    return found


def base_models(work: Path) -> dict[str, bytes]:
    """The seven, lowered by their tests as far as StableHLO; their records have the text.

    What lies in `work` from an earlier start is taken as it is.

    Raises:
        SystemExit: one was not lowered.
    """
    kept = {path.stem: path.read_bytes() for path in sorted(work.glob(f"*{_SUFFIX}"))}
    if len(kept) == len(BASE_MODELS):
        return kept
    found = _lowered(work / "lowered")
    for name, artifact in found.items():
        (work / f"{name}{_SUFFIX}").write_bytes(artifact)
    return found


def _lowered(folder: Path) -> dict[str, bytes]:
    tests = [test.replace("op_by_op_torch", "full") for test in BASE_MODELS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    environment = child_environment(
        BRINGUP_RUN_DIR=os.fspath(folder), TT_TORCH_COMPILE_DEPTH="STABLEHLO"
    )
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    records = {record.identity.model: record for record in load_journals(folder)[0]}
    if len(records) < len(tests):
        raise SystemExit(f"{len(records)} of {len(tests)} models were lowered")
    return {name: _artifact(folder, record) for name, record in sorted(records.items())}


def _artifact(folder: Path, record: TestRecord) -> bytes:
    texts = (a for s in record.stages if s.stage is Stage.STABLEHLO for a in s.artifacts)
    text = next((a for a in texts if a.level == Stage.STABLEHLO.value), None)
    if text is None:
        raise SystemExit(f"{record.identity.key} was not lowered: {record.failure}")
    mlir = TorchMlir()
    with mlir.context:
        return mlir.portable(ir.Module.parse(ArtifactStore(folder).get(text)))
