# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of Tenstorrent's is on this machine: the plugin's distributions, a card and its driver."""

from pathlib import Path

PLUGINS = {"pjrt-plugin-tt": ("pjrt_plugin_tt", "tt"), "jax-tt-plugin": ("libtt", "tt")}
"""Distributions that carry the plugin, best first, and the names their libraries go by."""
DEVICE_NODES = Path("/dev/tenstorrent")
INSTALL = "pip install 'bringup[tt]' brings one"


def has_card() -> bool:
    """Is there a card whose driver is loaded?"""
    try:
        return any(DEVICE_NODES.iterdir())
    except OSError:
        return False
