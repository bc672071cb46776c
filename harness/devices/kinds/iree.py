# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`iree-cpu`: IREE's compiler for the CPU and its virtual machine."""

from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.devices.host_cpu import processor
from bringup.harness.devices.kind import DeviceKind, IrLevel
from bringup.harness.records.values import Status

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend
    from bringup.harness.devices.wire import Level

FLAGS = (
    "--iree-hal-target-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-input-demote-f64-to-f32=false",
)
"""The backend, the CPU to compile for, and the third because IREE would otherwise turn float64
inputs and outputs into float32 without a word."""


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.iree import IreeBackend

    return IreeBackend(FLAGS)


def _libraries() -> tuple[Path, ...]:
    from bringup.harness.devices.shared_libraries import libraries_of

    compiler = libraries_of("iree.compiler", "_mlir_libs/*.so")
    return (*compiler, *libraries_of("iree._runtime_libs", "*.so"))


def _left(scratch: Path) -> "tuple[Level, ...]":
    from bringup.harness.devices.backends.iree import levels_left

    return levels_left(scratch)


KINDS = (
    DeviceKind(
        name="iree-cpu",
        title="IREE on the CPU",
        backend=_backend,
        levels=(
            *(IrLevel(phase, Status.CONVERTED_TO_TTIR) for phase in ("input", "flow", "stream")),
            IrLevel("vm", Status.CONVERTED_TO_TTNN),
        ),
        compiler="iree",
        distributions=("iree-base-compiler", "iree-base-runtime"),
        libraries=_libraries,
        environment=("IREE_*", "LD_PRELOAD", "LD_LIBRARY_PATH"),
        flags=FLAGS,
        target=lambda name: processor(),
        exclusive=lambda: False,
        install="pip install 'bringup[iree]' brings it",
        preload=("iree.runtime", "iree.compiler.api"),
        left=_left,
    ),
)
