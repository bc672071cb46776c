# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`interpreter`: where StableHLO has its meaning from; it judges devices and is none itself."""

from typing import TYPE_CHECKING

from bringup.harness.devices.kind import DeviceKind

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.interpreter import InterpreterBackend

    return InterpreterBackend()


KINDS = (
    DeviceKind(
        name="interpreter",
        title="StableHLO reference interpreter",
        backend=_backend,
        compiler="stablehlo-interpreter",
        exclusive=lambda: False,
        listed=False,
    ),
)
