# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`h100`, `tpu-v5e`, `mi300x` ...: accelerators, each a file of figures.

With one in the machine the same name executes, without it compiles. A file of a user's own is a
kind as well (`of_file`), called like the file.
"""

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bringup.harness.devices.backends import accelerator_hardware as hardware
from bringup.harness.devices.backends import xla
from bringup.harness.devices.backends.accelerator_file import (
    Accelerator,
    IreeTarget,
    Route,
    accelerator,
    shipped,
)
from bringup.harness.devices.kind import DeviceKind, IrLevel
from bringup.harness.devices.kinds import cuda, iree
from bringup.harness.records.values import Status

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend
    from bringup.harness.devices.wire import Level

_F64_AS_F32 = "--iree-input-demote-f64-to-f32=true"
FLAGS = {
    Route.IREE_HIP: ("--iree-hal-target-device=hip", "--iree-rocm-target={}", *iree.EVERYWHERE),
    Route.IREE_CUDA: ("--iree-hal-target-device=cuda", "--iree-cuda-target={}", *iree.EVERYWHERE),
    Route.IREE_VULKAN: (
        *("--iree-hal-target-device=vulkan", "--iree-vulkan-target={}", _F64_AS_F32),
    ),
    Route.IREE_METAL: ("--iree-hal-target-device=metal", _F64_AS_F32),
}
"""What IREE is told of where it compiles for.

These shaders have no float64, through which torch-mlir lowers a layer norm: there it is computed in
float32, as IREE does it everywhere unless it is told otherwise."""
IREE_LEVELS = (
    *(IrLevel(phase, Status.CONVERTED_TO_TTIR) for phase in ("input", "flow", "stream")),
    IrLevel("executable-targets", Status.CONVERTED_TO_TTNN),
    IrLevel("vm", Status.CONVERTED_TO_TTNN),
)


def of_file(file: Path) -> DeviceKind:
    """The kind that a file of figures is.

    Raises:
        UsageError: it cannot be read, or a field of it is wrong.
    """
    return _kind(accelerator(file))


def _kind(found: Accelerator) -> DeviceKind:
    return _of_iree(found) if found.route in FLAGS else _of_xla(found)


def _target(found: Accelerator) -> str:
    """A digest of the figures; with a device to run on, that too."""
    said = msgspec.json.encode((found.target, found.route), order="sorted")
    return hashlib.sha256(said).hexdigest() + hardware.driver_of(found)


def _of_xla(found: Accelerator) -> DeviceKind:
    is_tpu = found.route is Route.XLA_TPU

    def backend(name: str) -> "Backend":
        from bringup.harness.devices.backends.pjrt_accelerator import XlaAccelerator

        return XlaAccelerator(found)

    return DeviceKind(
        name=found.name,
        title=found.title,
        backend=backend,
        levels=xla.LEVELS if is_tpu else (*xla.LEVELS, IrLevel("ptx", Status.CONVERTED_TO_TTNN)),
        compiler=xla.COMPILER,
        products=found.products,
        figures=found.figures,
        distributions=(*xla.DISTRIBUTIONS, "libtpu") if is_tpu else cuda.DISTRIBUTIONS,
        releases=xla.TPU_RELEASES if is_tpu else xla.CUDA_RELEASES,
        libraries=xla.tpu_libraries if is_tpu else cuda.libraries,
        environment=(*xla.ENVIRONMENT, "TPU_*", "LIBTPU_*") if is_tpu else cuda.ENVIRONMENT,
        target=lambda name: _target(found),
        exclusive=functools.partial(hardware.is_here, found),
        lease=hardware.LEASES[found.route],
        install=xla.TPU_INSTALL if is_tpu else xla.CUDA_INSTALL,
        preload=(*xla.PRELOAD, "bringup.harness.devices.backends.pjrt_accelerator"),
        left=_no_levels if is_tpu else _kernels_left,
    )


def _no_levels(scratch: Path) -> "tuple[Level, ...]":
    return ()


def _kernels_left(scratch: Path) -> "tuple[Level, ...]":
    from bringup.harness.devices.backends.pjrt_accelerator import levels_left

    return levels_left(scratch)


def _of_iree(found: Accelerator) -> DeviceKind:
    assert isinstance(found.target, IreeTarget)
    architecture = found.target.architecture
    flags = tuple(flag.format(architecture) for flag in FLAGS[found.route])

    def backend(name: str) -> "Backend":
        from bringup.harness.devices.backends.iree import IreeAccelerator

        return IreeAccelerator(found, flags)

    return DeviceKind(
        name=found.name,
        title=found.title,
        backend=backend,
        levels=IREE_LEVELS,
        compiler=iree.COMPILER,
        products=found.products,
        figures=found.figures,
        distributions=iree.DISTRIBUTIONS,
        releases=iree.RELEASES,
        libraries=iree.libraries,
        environment=iree.ENVIRONMENT,
        flags=flags,
        target=lambda name: _target(found),
        exclusive=functools.partial(hardware.is_here, found),
        lease=hardware.LEASES[found.route],
        install=iree.INSTALL,
        preload=iree.PRELOAD,
        left=iree.levels_left,
    )


KINDS = tuple(map(_kind, shipped()))
