# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tenstorrent's boards: a card, or a description of one to compile for."""

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.devices.backends import xla
from bringup.harness.devices.backends.tenstorrent_install import (
    INSTALL,
    PLUGINS,
    VISIBLE,
    can_reset,
    cards,
    has_card,
    reset,
)
from bringup.harness.devices.kind import Arithmetic, DeviceKind, IrLevel
from bringup.harness.records.values import Status

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend
    from bringup.harness.devices.wire import Level

BOARDS = ("n150", "n300", "n300-llmbox", "p150")
_TAKES = {"n300-llmbox": 4}
"""Cards that make up one."""
_DRIVER_VERSION = Path("/sys/module/tenstorrent/version")


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.tenstorrent import TenstorrentBackend

    return TenstorrentBackend(name)


def _libraries() -> tuple[Path, ...]:
    from bringup.harness.devices.backends.pjrt import plugin_libraries

    return plugin_libraries(tuple(name for names in PLUGINS.values() for name in names))


@functools.cache
def _figures(board: str) -> str:
    from bringup.harness.devices.backends.system_desc import encode, load_board

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
    from bringup.harness.devices.backends.tenstorrent import levels_left

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
        boards=cards,
        only=lambda cards: dict.fromkeys(VISIBLE, ",".join(cards)),
        takes=_TAKES.get(board, 1),
        reset=reset if can_reset() else None,
        plugins=tuple(name for names in PLUGINS.values() for name in names),
        install=INSTALL,
        preload=(*xla.PRELOAD, "bringup.harness.devices.backends.tenstorrent"),
        left=_left,
    )


KINDS = tuple(map(_kind, BOARDS))
