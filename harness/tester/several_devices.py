# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model on several devices: the program on each of them, or one program over all, which divides
the batch, or weights as well.

A board may have several chips, and a machine several boards: `Device.open().chips` says how many a
program can be put on.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any

from bringup.harness.config import CompilerConfig
from bringup.harness.device_host.client import Device
from bringup.harness.errors import UsageError
from bringup.harness.recording.recorder import TesterRecorder
from bringup.harness.tester.shards import Spec


def parallelism(data_parallel: bool, automatic: bool, tensor_parallel: bool = False) -> str:
    """tt-torch's word for how a model is spread over devices.

    Raises:
        UsageError: it is asked for both ways at once.
    """
    if tensor_parallel and (data_parallel or automatic):
        raise UsageError(
            "tensor_parallel_mode divides weights and batch by get_mesh_config: leave out"
            " data_parallel_mode and automatic_parallelization"
        )
    if tensor_parallel:
        return "tensor_parallel"
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
    return list(range(target.open().chips)) if devices is None else _named(devices)


def the_chip(devices: Sequence[Any] | None) -> int:
    """The chip of a program that runs on one: the one that `devices` names, or the first."""
    return next(iter(_named(devices or ())), 0)


def _named(devices: Sequence[Any]) -> list[int]:
    chips = [chip for one in devices for chip in getattr(one, "ordinals", (one,))]
    for chip in chips:
        if type(chip) is not int or chip < 0:
            raise UsageError(
                f"devices= names {chip!r}: handles of DeviceManager are wanted, or whole numbers"
                " from 0"
            )
    return chips


def hold_to_devices(
    config: CompilerConfig,
    devices: Sequence[Any] | None,
    data_parallel: bool,
    target: Device,
    recorder: TesterRecorder,
    *,
    tensor_parallel: bool = False,
) -> None:
    """Hold how many devices are asked for to how many there are; opens `target` where it counts.

    Raises:
        UsageError: there are fewer, or what is asked for makes no sense of one program.
    """
    op_by_op = config.compile_depth.op_by_op
    if config.device_map:
        raise UsageError(
            'device_map cuts the graphs of torch.compile(model, backend="tt"): a tester\'s model is'
            " one program; tensor_parallel_mode divides its weights over devices"
        )
    if data_parallel and op_by_op:
        raise UsageError(
            "an op-by-op flow runs every op on one device: leave out data_parallel_mode"
        )
    if tensor_parallel and op_by_op:
        recorder.warn("tensor_parallel_mode: every op alone is on one device")
    elif config.mesh_devices > 1 and op_by_op:
        recorder.warn(f"mesh_shape {config.mesh_shape}: every op alone is on one device")
    elif config.mesh_devices > 1 and config.compile_depth.compiles:
        with target.leased(recorder.uncounted):
            chips = target.open().chips
        if config.mesh_devices > chips:
            raise UsageError(
                f"mesh_shape {list(config.mesh_shape)} asks for {config.mesh_devices} devices,"
                f" and {target.name} has {chips}: run it on one that has more, by --device"
            )
    if devices is not None and tensor_parallel:
        raise UsageError("tensor_parallel_mode takes every chip: leave out devices=")
    if devices is not None and len(_named(devices)) > 1 and not data_parallel:
        raise UsageError("devices= names several, and data_parallel_mode is not set")
    if the_chip(devices) and not data_parallel:
        _hold_to_one(config, recorder)
    if config.mesh_shape != (1, 1) and not config.automatic_parallelization:
        recorder.warn(
            f"mesh_shape {config.mesh_shape}: without automatic_parallelization the program is on"
            " one device"
        )


def _hold_to_one(config: CompilerConfig, recorder: TesterRecorder) -> None:
    """Hold a test whose one device is named to what a named device is for."""
    if config.mesh_devices > 1:
        raise UsageError("automatic_parallelization takes the first chips: leave out devices=")
    if config.compile_depth.op_by_op:
        recorder.warn("devices=: every op alone is on the first device")


class TensorParallel:
    """What a tester says of the mesh that its weights are divided over."""

    tensor_parallel_mode: bool = False
    """Run one program over all chips, weights divided by `load_shard_spec`."""

    def get_mesh_config(self, num_devices: int) -> tuple[Sequence[int], Sequence[str]]:
        """Rows and columns of the mesh, and what its two axes are called. The first axis divides
        the batch; by default it has one device, and all are for the weights."""
        return (1, num_devices), ("batch", "model")

    def load_shard_spec(self, model: Any) -> Spec:
        """By weight of the model, or its name, the axis that divides each dimension; None: none
        does. Weights that are not named are whole on every device."""
        raise UsageError(f"tensor_parallel_mode: {type(self).__name__} must define load_shard_spec")


def mesh_of(tester: TensorParallel, target: Device) -> tuple[tuple[str, int], ...]:
    """The axes of a tester's mesh over all chips of a device that is open.

    Raises:
        UsageError: there is one chip, or `axes_of_mesh` has something against what the tester says.
    """
    chips = target.open().chips
    if chips < 2:
        raise UsageError(
            f"tensor_parallel_mode divides weights over several chips, and {target.name} has one:"
            " run it on a device that has more, by --device"
        )
    return axes_of_mesh(tester.get_mesh_config(chips), chips, target.name)


def axes_of_mesh(given: Any, chips: int, device: str) -> tuple[tuple[str, int], ...]:
    """The axes that `get_mesh_config` gave, each with its size.

    Raises:
        UsageError: it is no mesh, or one of more chips than the device has.
    """
    try:
        shape, names = given
        sizes = tuple(operator.index(size) for size in shape)
        axes = dict(zip(names, sizes, strict=True))
    except (TypeError, ValueError):
        axes, names = {}, ()
    named = all(isinstance(name, str) and name.isidentifier() for name in axes)
    if not axes or len(axes) != len(names) or not named:
        raise UsageError(
            f"get_mesh_config gives {given!r}: sizes are wanted and as many names, such as"
            ' (1, 8), ("batch", "model")'
        )
    if math.prod(axes.values()) > chips or min(axes.values()) < 1:
        raise UsageError(f"get_mesh_config gives {sizes}, and {device} has {chips} chips")
    return tuple(axes.items())
