# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `nox -s devices -- --json` prints: the devices of a machine, and how far a model gets there.

A list of `ListedDevice`. It is written by the harness, which opens devices, and read by the
pipeline, on this machine or another.
"""

import enum

import msgspec

from bringup.harness.storage.decoding import decode_json
from bringup.harness.storage.writable import encoded


class DeviceState(enum.StrEnum):
    """How far a model can get on a device."""

    EXECUTES = "executes"
    COMPILES = "compiles"
    MISSING = "missing"


class ListedDevice(msgspec.Struct, frozen=True):
    """One device on one machine."""

    name: str
    state: DeviceState
    title: str = ""
    """What kind of device it is, for people."""
    detail: str = ""
    """What it calls itself."""
    reason: str = ""
    """Why it cannot execute, or is missing, in a sentence."""
    capacity: int | None = None
    """Tests it runs at a time; None for any number."""


def encode_listing(devices: list[ListedDevice]) -> bytes:
    """The listing as JSON."""
    return encoded(devices)


def decode_listing(data: bytes, where: object) -> tuple[ListedDevice, ...]:
    """A listing from JSON.

    Raises:
        RecordError: it is none.
    """
    return decode_json(data, tuple[ListedDevice, ...], where, "JSON of devices")
