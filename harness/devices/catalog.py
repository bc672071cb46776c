# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The devices we know by name, and how to make each one's backend.

Anything else with a PJRT plugin is `pjrt:NAME`, NAME being the plugin's entry point.
"""

import difflib
from dataclasses import dataclass

from harness.devices.backend import Backend
from harness.errors import DeviceError, UsageError

TENSTORRENT_BOARDS = ("n150", "n300", "n300-llmbox", "p150")
PJRT_PREFIX = "pjrt:"
DEFAULT_DEVICE = "cpu"
INTERPRETER = "interpreter"
"""Where StableHLO has its meaning from; it judges devices and is none that a run is offered."""


@dataclass(frozen=True)
class DeviceKind:
    """A device by name."""

    name: str
    title: str
    levels: tuple[str, ...]
    """The device's own IR levels, lowest last."""


KINDS: dict[str, DeviceKind] = {
    kind.name: kind
    for kind in (
        DeviceKind("cpu", "XLA on the CPU, through PJRT", ("hlo_optimized",)),
        DeviceKind("cuda", "XLA on an NVIDIA GPU, through PJRT", ("hlo_optimized",)),
        *(
            DeviceKind(board, f"Tenstorrent {board}, through PJRT", ("ttir", "ttnn"))
            for board in TENSTORRENT_BOARDS
        ),
        DeviceKind("iree-cpu", "IREE on the CPU", ("input", "flow", "stream", "vm")),
    )
}


def kind_of(name: str) -> DeviceKind:
    """The kind of a device name.

    Raises:
        UsageError: no such device; the message says which there are.
    """
    if name in KINDS:
        return KINDS[name]
    if name == INTERPRETER:
        return DeviceKind(name, "StableHLO reference interpreter", ())
    if name.startswith(PJRT_PREFIX):
        return DeviceKind(name, f"PJRT plugin {name.removeprefix(PJRT_PREFIX)}", ("hlo_optimized",))
    near = difflib.get_close_matches(name, KINDS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"unknown device {name!r}: {hint}known are {', '.join(KINDS)}")


def is_exclusive(name: str) -> bool:
    """Is there a real device behind the name, which serves one process at a time?"""
    from harness.devices.tenstorrent import has_hardware

    if name in TENSTORRENT_BOARDS:
        return has_hardware()
    return name not in ("cpu", "iree-cpu", INTERPRETER)


def make_backend(name: str) -> Backend:
    """The backend of a device, unopened. Called inside a device host.

    Raises:
        DeviceError: what the device needs is not installed.
    """
    from harness.devices.iree import IreeBackend
    from harness.devices.pjrt import PjrtBackend, discover_plugins
    from harness.devices.tenstorrent import TenstorrentBackend

    kind_of(name)
    if name == "cpu":
        return PjrtBackend()
    if name == INTERPRETER:
        from harness.devices.interpreter import InterpreterBackend

        return InterpreterBackend()
    if name in TENSTORRENT_BOARDS:
        return TenstorrentBackend(name)
    if name == "iree-cpu":
        return IreeBackend()
    plugins = discover_plugins()
    wanted = name.removeprefix(PJRT_PREFIX)
    match = next((n for n in plugins if n == wanted or (name == "cuda" and "cuda" in n)), None)
    if match is None:
        hint = "; pip install jax-cuda13-plugin brings one" if name == "cuda" else ""
        raise DeviceError(f"no PJRT plugin for {wanted} is installed{hint}")
    return PjrtBackend(match, plugins[match])
