# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`interpreter`: where StableHLO has its meaning from; it judges devices and is none itself."""

from typing import TYPE_CHECKING

from harness.devices.kinds.kind import DeviceKind

if TYPE_CHECKING:
    from harness.devices.backend import Backend


def _backend(name: str) -> "Backend":
    from harness.devices.interpreter import InterpreterBackend

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
