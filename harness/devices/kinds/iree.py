# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`iree-cpu`: IREE's compiler for the CPU and its virtual machine."""

from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.devices.host_cpu import processor
from bringup.harness.devices.kind import DeviceKind, IrLevel, Released
from bringup.harness.records.values import Status

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend
    from bringup.harness.devices.wire import Level

EVERYWHERE = ("--iree-input-demote-f64-to-f32=false",)
"""IREE would otherwise turn float64 inputs and outputs into float32 without a word."""
FLAGS = (
    "--iree-hal-target-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    *EVERYWHERE,
)
"""The backend and the CPU to compile for."""
COMPILER = "iree"
DISTRIBUTIONS = ("iree-base-compiler", "iree-base-runtime")
RELEASES = (Released("iree-base-compiler", ("iree-base-runtime",), "3.4.0"),)
ENVIRONMENT = ("IREE_*", "LD_PRELOAD", "LD_LIBRARY_PATH")
INSTALL = "pip install 'bringup[iree]' brings it"
PRELOAD = ("iree.runtime", "iree.compiler.api")


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.iree import IreeBackend

    return IreeBackend(FLAGS)


def libraries() -> tuple[Path, ...]:
    """The libraries that compile and run."""
    from bringup.harness.devices.shared_libraries import libraries_of

    compiler = libraries_of("iree.compiler", "_mlir_libs/*.so")
    return (*compiler, *libraries_of("iree._runtime_libs", "*.so"))


def levels_left(scratch: Path) -> "tuple[Level, ...]":
    """The phases that a compilation had passed when its host was stopped."""
    from bringup.harness.devices.backends import iree

    return iree.levels_left(scratch)


KINDS = (
    DeviceKind(
        name="iree-cpu",
        title="IREE on the CPU",
        backend=_backend,
        levels=(
            *(IrLevel(phase, Status.CONVERTED_TO_TTIR) for phase in ("input", "flow", "stream")),
            IrLevel("vm", Status.CONVERTED_TO_TTNN),
        ),
        compiler=COMPILER,
        distributions=DISTRIBUTIONS,
        releases=RELEASES,
        libraries=libraries,
        environment=ENVIRONMENT,
        flags=FLAGS,
        target=lambda name: processor(),
        exclusive=lambda: False,
        install=INSTALL,
        preload=PRELOAD,
        left=levels_left,
    ),
)
