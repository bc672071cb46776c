# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tenstorrent's boards: a card, or a description of one to compile for."""

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from harness.devices.kinds import xla
from harness.devices.kinds.kind import Arithmetic, DeviceKind, IrLevel
from harness.records.values import Status

if TYPE_CHECKING:
    from harness.devices.backend import Backend
    from harness.devices.wire import Level

BOARDS = ("n150", "n300", "n300-llmbox", "p150")
PLUGINS = {"pjrt-plugin-tt": ("pjrt_plugin_tt", "tt"), "jax-tt-plugin": ("libtt", "tt")}
"""Distributions that carry the plugin, best first, and the names their libraries go by."""
DEVICE_NODES = Path("/dev/tenstorrent")
_DRIVER_VERSION = Path("/sys/module/tenstorrent/version")
INSTALL = "pip install 'bringup[tt]' brings one"


def has_card() -> bool:
    """Is there a card whose driver is loaded?"""
    try:
        return any(DEVICE_NODES.iterdir())
    except OSError:
        return False


def _backend(name: str) -> "Backend":
    from harness.devices.tenstorrent import TenstorrentBackend

    return TenstorrentBackend(name)


def _libraries() -> tuple[Path, ...]:
    from harness.devices.pjrt import plugin_libraries

    return plugin_libraries(tuple(name for names in PLUGINS.values() for name in names))


@functools.cache
def _figures(board: str) -> str:
    from harness.devices.system_desc import encode, load_board

    return hashlib.sha256(encode(load_board(board), "0" * 64)).hexdigest()


def _target(board: str) -> str:
    """The digest of the board's figures; with a card, its driver's version too."""
    if not has_card():
        return _figures(board)
    try:
        driver = _DRIVER_VERSION.read_text(errors="replace").strip()
    except OSError:
        driver = "unknown"
    return f"{_figures(board)}, driver {driver}"


def _left(scratch: Path) -> "tuple[Level, ...]":
    from harness.devices.tenstorrent import levels_left

    return levels_left(scratch)


def _kind(board: str) -> DeviceKind:
    return DeviceKind(
        name=board,
        title=f"Tenstorrent {board}, through PJRT",
        backend=_backend,
        levels=(
            IrLevel("ttir", Status.CONVERTED_TO_TTIR),
            IrLevel("ttnn", Status.CONVERTED_TO_TTNN),
        ),
        compiler="tt-mlir",
        # A float32 tensor stays one in memory, but the matrix unit takes 19 bits of a value and
        # sums go through a 16-bit destination register unless a program asks for more.
        arithmetic=Arithmetic.BF16,
        distributions=(*xla.DISTRIBUTIONS, *PLUGINS),
        libraries=_libraries,
        environment=(
            *("TT_*", "TTMLIR_*", "TTXLA_*", "TTNN_*", "TTRT_*", "ARCH_NAME", "MESH_DEVICE"),
            *("WH_ARCH_YAML", *xla.ENVIRONMENT),
        ),
        optimizer_options={"optimization_level": "1"},
        target=_target,
        exclusive=has_card,
        lease="tenstorrent",
        plugins=tuple(name for names in PLUGINS.values() for name in names),
        install=INSTALL,
        preload=(*xla.PRELOAD, "harness.devices.tenstorrent"),
        left=_left,
    )


KINDS = tuple(map(_kind, BOARDS))
