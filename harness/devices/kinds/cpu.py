# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`cpu`: XLA's own client, in jaxlib."""

from typing import TYPE_CHECKING

from bringup.harness.devices.backends import xla
from bringup.harness.devices.host_cpu import processor
from bringup.harness.devices.kind import DeviceKind

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.pjrt import XlaCpuBackend

    return XlaCpuBackend()


KINDS = (
    DeviceKind(
        name="cpu",
        title="XLA on the CPU, through PJRT",
        backend=_backend,
        levels=xla.LEVELS,
        compiler=xla.COMPILER,
        distributions=xla.DISTRIBUTIONS,
        releases=xla.RELEASES,
        libraries=xla.jaxlib_libraries,
        environment=xla.ENVIRONMENT,
        target=lambda name: processor(),
        exclusive=lambda: False,
        preload=xla.PRELOAD,
    ),
)
