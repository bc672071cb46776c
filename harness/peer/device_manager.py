# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""tt-torch's handles of devices: a parent mesh, and the devices of it that a body takes.

A handle is an ordinal of the device that the run selected, and nothing is opened for it: programs
open their device themselves, and hold its lease while they work.
"""

import contextlib
import ctypes
import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bringup.harness.device_host.shared import device
from bringup.harness.devices.catalog import DEFAULT_DEVICE
from bringup.harness.errors import UsageError
from bringup.harness.recording.current_test import open_test
from bringup.harness.session import current


class Arch(enum.Enum):
    """Tenstorrent's architectures, as `tt_mlir.Arch` names them."""

    GRAYSKULL = 0
    WORMHOLE_B0 = 1
    BLACKHOLE = 2


@dataclass(eq=False)
class MeshDevice:
    """A rectangle of devices, and those that were taken of it."""

    device: str
    shape: tuple[int, int]
    ordinals: tuple[int, ...]
    """Of the selected device's chips, row by row."""
    parts: set["MeshDevice"] = field(default_factory=set)


class _Meshes:
    """The parent meshes that a session's bodies have."""

    def __init__(self) -> None:
        self.parents: dict[MeshDevice, None] = {}


class DeviceManager:
    """Parent meshes and their sub-meshes, by tt-torch's names.

    Raises:
        UsageError: more devices are asked for than there are, or a handle is not known.
    """

    @classmethod
    def get_num_available_devices(cls) -> int:
        """How many chips the selected device has."""
        return get_num_available_devices()

    @classmethod
    def create_parent_mesh_device(
        cls, mesh_shape: Sequence[int], device_ids: Sequence[int] | None = None, **options: Any
    ) -> MeshDevice:
        """Take a rectangle of devices."""
        _refuse_options(options)
        rows, columns = _shape(mesh_shape)
        name, count = selected_device(), get_num_available_devices()
        ordinals = tuple(device_ids or range(rows * columns))
        if rows * columns > count or len(ordinals) != rows * columns or max(ordinals) >= count:
            raise UsageError(
                f"a mesh of {rows}x{columns} devices is asked for, and {name} has {count}:"
                " select one that has more by --device"
            )
        mesh = MeshDevice(name, (rows, columns), ordinals)
        _parents()[mesh] = None
        return mesh

    @classmethod
    def create_sub_mesh_device(
        cls,
        parent_mesh: MeshDevice,
        mesh_offset: Sequence[int],
        mesh_shape: Sequence[int] = (1, 1),
    ) -> MeshDevice:
        """Take a rectangle of a parent's devices, none of which is taken."""
        parent = _known(parent_mesh)
        rows, columns = _shape(mesh_shape)
        top, left = mesh_offset
        height, width = parent.shape
        if top < 0 or left < 0 or top + rows > height or left + columns > width:
            raise UsageError(
                f"a sub-mesh of {rows}x{columns} at ({top}, {left}) is not within {height}x{width}"
            )
        places = [(top + r) * width + left + c for r in range(rows) for c in range(columns)]
        ordinals = tuple(parent.ordinals[place] for place in places)
        taken = {ordinal for part in parent.parts for ordinal in part.ordinals}
        if taken.intersection(ordinals):
            raise UsageError(f"a sub-mesh at ({top}, {left}) has devices that another one has")
        part = MeshDevice(parent.device, (rows, columns), ordinals)
        parent.parts.add(part)
        return part

    @classmethod
    def acquire_available_devices(
        cls, num_devices: int | None = None, **options: Any
    ) -> tuple[MeshDevice, list[MeshDevice]]:
        """A parent mesh of one row, and its devices one by one; all there are by default."""
        count = get_num_available_devices() if num_devices is None else num_devices
        parent = cls.create_parent_mesh_device([1, count], **options)
        return parent, [cls.create_sub_mesh_device(parent, (0, i)) for i in range(count)]

    @classmethod
    def get_parent_devices(cls) -> list[MeshDevice]:
        """The parent meshes that are taken."""
        return list(_parents())

    @classmethod
    def get_sub_mesh_devices(cls, parent_mesh: MeshDevice) -> set[MeshDevice]:
        """What is taken of a parent."""
        return _known(parent_mesh).parts

    @classmethod
    def release_sub_mesh_device(
        cls,
        sub_device: MeshDevice,
        cleanup_parent: bool = False,
        parent: MeshDevice | None = None,
    ) -> None:
        """Give a sub-mesh back; with its parent, if it was the last one and that is asked for."""
        owner = next((p for p in _parents() if sub_device in p.parts), None)
        if owner is None or parent not in (None, owner):
            raise UsageError("a sub-mesh is given back that is none, or of another parent")
        owner.parts.remove(sub_device)
        if cleanup_parent and not owner.parts:
            del _parents()[owner]

    @classmethod
    def release_parent_device(
        cls, parent_device: MeshDevice, cleanup_sub_devices: bool = False
    ) -> None:
        """Give a parent mesh back."""
        parent = _known(parent_device)
        if parent.parts and not cleanup_sub_devices:
            raise UsageError("a parent mesh is given back of which sub-meshes are taken still")
        del _parents()[parent]


def selected_device() -> str:
    """The device of the running test; before any runs, the one that tests run on by default."""
    recorder = open_test()
    return DEFAULT_DEVICE if recorder is None else recorder.identity.device


def get_num_available_devices() -> int:
    """How many chips the selected device has, as it says itself."""
    return device(selected_device()).open().chips


def get_arch() -> Arch:
    """The architecture of a Tenstorrent device; of another Wormhole, as tests expect it."""
    kind = device(selected_device()).open().kind.upper()
    return Arch.BLACKHOLE if "BLACKHOLE" in kind else Arch.WORMHOLE_B0


def is_runtime_debug_enabled() -> bool:
    """Can intermediate values be had? By `enable_intermediate_verification`, always."""
    return True


def malloc_trim() -> None:
    """Give memory that nobody uses back to the system; glibc only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _parents() -> dict[MeshDevice, None]:
    return current().get(_Meshes).parents


def _known(parent: MeshDevice) -> MeshDevice:
    if parent not in _parents():
        raise UsageError("a parent mesh is named that is not taken, or was given back")
    return parent


def _shape(shape: Sequence[int]) -> tuple[int, int]:
    sizes = tuple(shape)
    if len(sizes) != 2 or math.prod(sizes) < 1 or min(sizes) < 1:
        raise UsageError(f"mesh_shape {list(sizes)} is not two whole numbers from 1")
    return sizes[0], sizes[1]


def _refuse_options(options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(
            f"{given[0]} of a mesh is tt-metal's and none here: a program gets what its device's"
            " compiler gives it"
        )
