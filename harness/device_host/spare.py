# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A device that stands open beside a pool's workers, for the next one whose host dies."""

import threading
from collections.abc import Callable

from bringup.harness.device_host.client import Device
from bringup.harness.devices.catalog import kind_of

SPARE_WORTH = 0.3
"""Seconds to open a device from which on a spare host pays for its memory."""


class Spare:
    """At most one, shared by the workers of a pool."""

    def __init__(self, new_device: Callable[[], Device]) -> None:
        self._new_device = new_device
        # Any worker may give its device for the spare while another has one made.
        self._changing = threading.Lock()
        self.device: Device | None = None
        """The one that stands open."""
        self._shelf: list[Device] = []
        """Those it was exchanged for, whose hosts are gone. The next spare is one of them: however
        many hosts die, a pool has one device more than workers."""

    def exchange(self, closed: Device) -> Device:
        """The spare for a device whose host is gone, or the same one again without a spare."""
        with self._changing:
            if self.device is None:
                return closed
            self._shelf.append(closed)
            spare, self.device = self.device, None
            return spare

    def stand_by(self, like: Device) -> None:
        """Have a spare open from now on, if `like` shows that it pays.

        Raises:
            DeviceError: the device cannot be had any more.
        """
        opening = like.open().usage.wall_s
        if opening < SPARE_WORTH or kind_of(like.name).exclusive():
            return
        with self._changing:
            if self.device is None:
                self.device = self._shelf.pop() if self._shelf else self._new_device()
                self.device.start()

    def close(self) -> None:
        """End the spare's host; no worker is at work any more."""
        if self.device is not None:
            self.device.close()
