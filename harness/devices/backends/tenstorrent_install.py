# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of Tenstorrent's is on this machine: the plugin's distributions, a card and its driver."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.records.variable_names import CARDS_VARIABLE, METAL_CARDS_VARIABLE

PLUGINS = {"pjrt-plugin-tt": ("pjrt_plugin_tt", "tt"), "jax-tt-plugin": ("libtt", "tt")}
"""Distributions that carry the plugin, best first, and the names their libraries go by."""
DEVICE_NODES = Path("/dev/tenstorrent")
VISIBLE = (CARDS_VARIABLE, METAL_CARDS_VARIABLE)
"""What keeps a process to some cards; libraries of different ages read different ones."""
_RESETS = "tt-smi"
_RESET_S = 180.0
INSTALL = "pip install 'bringup[tt]' brings one"


def has_card() -> bool:
    """Is there a card whose driver is loaded?"""
    try:
        return any(DEVICE_NODES.iterdir())
    except OSError:
        return False


def cards() -> tuple[str, ...]:
    """The cards of this machine, as the driver numbers them, or as many as we are kept to."""
    kept = os.environ.get(CARDS_VARIABLE) or os.environ.get(METAL_CARDS_VARIABLE)
    if kept:
        return tuple(part.strip() for part in kept.split(",") if part.strip())
    try:
        numbers = [int(p.name) for p in DEVICE_NODES.iterdir() if p.name.isdecimal()]
    except OSError:
        return ()
    return tuple(map(str, sorted(numbers)))


def can_reset() -> bool:
    """Is the vendor's tool here that resets cards?"""
    return shutil.which(_RESETS) is not None


def reset(cards: Sequence[str]) -> bool:
    """Reset some cards, which nobody has open."""
    command = [_RESETS, "--reset", ",".join(cards)]
    done = subprocess.run(command, capture_output=True, timeout=_RESET_S, check=False)
    return done.returncode == 0
