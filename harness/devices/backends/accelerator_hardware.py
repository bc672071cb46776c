# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Is an accelerator in this machine? Said by what its driver leaves in the file system.

Opening a device is the work of its host; what is asked here is asked by everybody, so that two
processes do not share a card.
"""

import sys
from pathlib import Path

from bringup.harness.devices.backends.accelerator_file import Accelerator, Route, TpuTarget

LEASES = {
    Route.XLA_TPU: "tpu",
    Route.XLA_CUDA: "cuda",
    Route.IREE_HIP: "hip",
    Route.IREE_CUDA: "cuda",
    Route.IREE_VULKAN: "vulkan",
    Route.IREE_METAL: "metal",
}
"""What shares a card, by route."""
_GOOGLE = "0x1ae0"
_PCI = Path("/sys/bus/pci/devices")
_DRIVERS = {
    Route.XLA_CUDA: ("/proc/driver/nvidia/gpus", "*"),
    Route.IREE_CUDA: ("/proc/driver/nvidia/gpus", "*"),
    Route.IREE_HIP: ("/sys/class/kfd/kfd/topology/nodes", "*/mem_banks/0"),
    Route.IREE_VULKAN: ("/dev/dri", "renderD*"),
}
"""Where a driver lists its cards, and how each is called there."""
_VERSIONS = (Path("/proc/driver/nvidia/version"), Path("/sys/module/amdgpu/version"))


def is_here(found: Accelerator) -> bool:
    """Has this machine a card that such a program may run on? Only its host knows which it is."""
    if isinstance(found.target, TpuTarget):
        return bool(_google_chips() & set(found.target.pci))
    if found.route is Route.IREE_METAL:
        return sys.platform == "darwin"
    folder, pattern = _DRIVERS[found.route]
    return any(Path(folder).glob(pattern))


def driver_of(found: Accelerator) -> str:
    """The versions of drivers, where there is a card; empty without one."""
    return "".join(f", {_said(path)}" for path in _VERSIONS) if is_here(found) else ""


def _google_chips() -> set[str]:
    """Device ids of Google's chips on the bus (its network cards have others than its TPUs)."""
    return {
        _said(folder / "device") for folder in _PCI.glob("*") if _said(folder / "vendor") == _GOOGLE
    }


def _said(path: Path) -> str:
    try:
        return " ".join(path.read_text(errors="replace").split())
    except OSError:
        return ""
