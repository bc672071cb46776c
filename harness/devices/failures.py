# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How a request to a device can fail, other than the device not being there (`DeviceError`)."""

from collections.abc import Sequence

from bringup.harness.devices.wire import Level, Usage
from bringup.harness.errors import HarnessError
from bringup.harness.records.schema import Stage


class DeviceFailure(HarnessError):
    """A request to a device failed. `diagnostic` is the whole text, `levels` what was reached."""

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        diagnostic: str,
        levels: Sequence[Level] = (),
        usage: Usage | None = None,
        stage: Stage | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.diagnostic = diagnostic
        self.levels = tuple(levels)
        self.usage = usage
        self.stage = stage


class DeviceRefusal(DeviceFailure):
    """The compiler or the runtime refused, and its host lives."""


DOES_NOT_FIT = "DoesNotFit"
"""The kind of a refusal by a compiler that finds a program too large for its device's memory."""


class HostCrash(DeviceFailure):
    """The host died on the request; `kind` is the signal's name or the exit code."""


class HostTimeout(DeviceFailure):
    """The request ran past its deadline; the diagnostic holds the host's stacks."""
