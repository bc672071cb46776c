# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model on several devices: the program on each of them, or one program over all.

A board may have several chips, and a machine several boards: `Device.open().chips` says how many a
program can be put on.
"""

from collections.abc import Sequence
from typing import Any

from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.errors import UsageError
from bringup.harness.recording.recorder import TesterRecorder


def parallelism(data_parallel: bool, automatic: bool) -> str:
    """tt-torch's word for how a model is spread over devices.

    Raises:
        UsageError: it is asked for both ways at once.
    """
    if data_parallel and automatic:
        raise UsageError(
            "data_parallel_mode runs a program on every device, automatic_parallelization one"
            " program over all: leave out one of them"
        )
    if data_parallel:
        return "runtime_data_parallel"
    return "data_parallel" if automatic else "single_device"


def chips_of(devices: Sequence[Any] | None, target: Device) -> list[int]:
    """The chips to run on, by ordinal: those that `devices` names, or all there are.

    Args:
        devices: ordinals, or objects with `ordinals` (a mesh of several); None for all.
        target: the device, open.
    """
    if devices is None:
        return list(range(target.open().chips))
    return [chip for one in devices for chip in getattr(one, "ordinals", (one,))]


def hold_to_devices(
    config: CompilerConfig,
    devices: Sequence[Any] | None,
    data_parallel: bool,
    target: Device,
    recorder: TesterRecorder,
) -> None:
    """Hold how many devices are asked for to how many there are; opens `target` where it counts.

    Raises:
        UsageError: there are fewer, or what is asked for makes no sense of one program.
    """
    op_by_op = config.compile_depth.op_by_op
    if data_parallel and op_by_op:
        raise UsageError(
            "an op-by-op flow runs every op on one device: leave out data_parallel_mode"
        )
    if config.mesh_devices > 1 and op_by_op:
        recorder.warn(f"mesh_shape {config.mesh_shape}: every op alone is on one device")
    elif config.mesh_devices > 1 and config.compile_depth.compiles:
        with target.leased(recorder.uncounted):
            chips = target.open().chips
        if config.mesh_devices > chips:
            raise UsageError(
                f"mesh_shape {list(config.mesh_shape)} asks for {config.mesh_devices} devices,"
                f" and {target.name} has {chips}: run it on one that has more, by --device"
            )
    if devices is not None and len(devices) > 1 and not data_parallel:
        raise UsageError("devices= names several, and data_parallel_mode is not set")
