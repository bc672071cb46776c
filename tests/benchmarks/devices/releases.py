# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A failure that releases differ in, and how many of them it takes to find where it went.

`stablehlo.tan` of some shapes is refused by older releases of IREE and taken by newer ones. The
releases are installed one after another, so a network, or a folder of wheels, is needed.
"""

import tempfile
import time
from pathlib import Path

from torch_mlir import ir

from bringup.harness.devices.catalog import kind_of, versions
from bringup.harness.mlir import TorchMlir
from bringup.harness.records.schema import (
    Failure,
    Op,
    OpVerdict,
    Outcome,
    Stage,
    Status,
    TensorType,
)
from bringup.harness.reduce.releases import asked_for, released
from bringup.harness.reduce.version_blame import VersionBlame
from bringup.harness.reduce.version_search import Says, most_probes, search
from bringup.harness.reproduce.reproducer import read_expected, write_reproducer
from tests.benchmarks.figures import Figure

_TAN = """
func.func @main(%x: tensor<3x5x7xf32>) -> tensor<3x5x7xf32> {
  %0 = stablehlo.tan %x : tensor<3x5x7xf32>
  return %0 : tensor<3x5x7xf32>
}"""
_SAID = "failed to legalize operation 'stablehlo.tan' that was explicitly marked illegal"
_DEVICE = "iree-cpu"
_ASKED = "iree-base-compiler>=3.5,!=3.7.1,<=3.13"
_TYPE = TensorType((3, 5, 7), "float32")


def measure(folder: Path) -> list[Figure]:
    """`version_probes`, and what is left on the disk."""
    reproducer = _reproducer(folder)
    asked = asked_for(_ASKED, kind_of(_DEVICE))
    blame = VersionBlame(reproducer, read_expected(reproducer), asked, trust=False, say=print)
    every = released(asked)
    began = time.perf_counter()
    found = search(every, blame.probe)
    took = (time.perf_counter() - began) / len(found.probes)
    text = f"{len(every)} releases, {took:.0f} s each"
    if found.before is not None and found.after is not None:
        text += f"; {found.before.version} {found.before.says}"
        text += f", {found.after.version} {found.after.says}"
    silent = sum(one.says is Says.NOTHING for one in found.probes)
    left = [*Path(tempfile.gettempdir()).glob("bringup-held-release-*")]
    return [
        Figure("version_probes", len(found.probes), "", f"<= {most_probes(len(every))}", text),
        Figure("version_silent", silent, "", "", "releases that could not be asked"),
        Figure("version_found", found.before is not None, "", "== 1", text),
        Figure("version_folders_left", len(left), "", "== 0", "on the disk"),
    ]


def _reproducer(folder: Path) -> Path:
    mlir = TorchMlir()
    with mlir.context:
        artifact = mlir.portable(ir.Module.parse(_TAN))
    verdict = OpVerdict(
        op=Op(
            key="7" * 64,
            name="stablehlo.tan",
            source="stablehlo",
            inputs=(_TYPE,),
            outputs=(_TYPE,),
        ),
        device=_DEVICE,
        status=Status.CONVERTED_TO_STABLE_HLO,
        failure=Failure(Stage.COMPILE, "CompileError", _SAID),
        outcome=Outcome.FAILED,
    )
    return write_reproducer(
        folder,
        verdict,
        stablehlo=artifact,
        torch_ir=None,
        inputs=(),
        golden=(),
        executes=False,
        device=_DEVICE,
        deadline_s=60.0,
        versions=versions(),
        options={},
    )
