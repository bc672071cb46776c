# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reproducers made by hand, for the tests of what is written, found and run again."""

import subprocess
import sys
from pathlib import Path

import torch

from bringup.harness.devices.catalog import versions
from bringup.harness.records.schema import Failure, Op, OpVerdict, Outcome, Status
from bringup.harness.reproduce.reproducer import write_reproducer

KEY = "0123456789abcdef" * 4
RELU = """
func.func @main(%x: !torch.vtensor<[4],f32>) -> !torch.vtensor<[4],f32> {
  %0 = torch.aten.relu %x : !torch.vtensor<[4],f32> -> !torch.vtensor<[4],f32>
  return %0 : !torch.vtensor<[4],f32>
}"""


def op(name: str, key: str = KEY) -> Op:
    source = "stablehlo" if name.startswith("stablehlo.") else "torch"
    return Op(key=key, name=name, source=source)


def placeholder(
    name: str, device: str, outcome: Outcome, key: str = KEY, failure: Failure | None = None
) -> OpVerdict:
    return OpVerdict(
        op=op(name, key),
        device=device,
        status=Status.CREATED_GRAPH,
        outcome=outcome,
        failure=failure,
    )


def write(
    folder: Path,
    verdict: OpVerdict,
    *,
    stablehlo: bytes | None = None,
    torch_ir: str | None = None,
    inputs: list[torch.Tensor] | None = None,
    golden: list[torch.Tensor] | None = None,
    fx_json: bytes = b"",
    deadline_s: float = 60.0,
    keep_inputs: bool = False,
) -> Path:
    return write_reproducer(
        folder,
        verdict,
        stablehlo=stablehlo,
        torch_ir=torch_ir,
        fx_text=f"{verdict.op.name}(%0)",
        inputs=inputs or [],
        golden=golden or [],
        executes=golden is not None,
        fx_json=fx_json,
        keep_inputs=keep_inputs,
        device=verdict.device,
        deadline_s=deadline_s,
        versions=versions(),
        options={},
    )


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's root, and wait for it."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
