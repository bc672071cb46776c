# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`cuda`: XLA on an NVIDIA GPU."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.devices.backends import xla
from bringup.harness.devices.kind import Arithmetic, DeviceKind
from bringup.harness.records.variable_names import GPUS_VARIABLE

if TYPE_CHECKING:
    from bringup.harness.devices.backend import Backend

_INSTALL = "pip install jax-cuda13-plugin brings one"
DISTRIBUTIONS = (
    *(*xla.DISTRIBUTIONS, "jax-cuda12-plugin", "jax-cuda12-pjrt"),
    *("jax-cuda13-plugin", "jax-cuda13-pjrt", "jax-cuda*", "nvidia-*"),
)
"""The libraries that it loads beside the plugin come in wheels of their own: ptxas, cuDNN."""
ENVIRONMENT = (*xla.ENVIRONMENT, "CUDA_*", "CUDNN_*", "CUBLAS*", "NVIDIA_*", "NCCL_*")
_DRIVER = Path("/proc/driver/nvidia")


def _backend(name: str) -> "Backend":
    from bringup.harness.devices.backends.pjrt import plugin_backend

    return plugin_backend(name, xla.CUDA_PLUGINS, _INSTALL)


def libraries() -> tuple[Path, ...]:
    """The plugin and what lies beside it."""
    from bringup.harness.devices.backends.pjrt import plugin_libraries

    return plugin_libraries(xla.CUDA_PLUGINS)


def _card(name: str) -> str:
    """The driver's version and the GPUs' models, as the driver says them; empty without one."""
    said = []
    for path in (_DRIVER / "version", *sorted(_DRIVER.glob("gpus/*/information"))):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        said += [line for line in lines if line.startswith(("NVRM", "Model"))]
    return "\n".join(" ".join(line.split()) for line in said)


def _gpus() -> tuple[str, ...]:
    """The GPUs by ordinal, or those that this process is kept to, as SLURM does."""
    kept = os.environ.get(GPUS_VARIABLE)
    if kept is not None:
        return tuple(part.strip() for part in kept.split(",") if part.strip())
    return tuple(str(i) for i, _ in enumerate(_DRIVER.glob("gpus/*")))


KINDS = (
    DeviceKind(
        name="cuda",
        title="XLA on an NVIDIA GPU, through PJRT",
        backend=_backend,
        levels=xla.LEVELS,
        compiler=xla.COMPILER,
        # XLA lets cuBLAS and cuDNN round float32 operands where a program asks for the default
        # precision, as PyTorch's lowered programs do.
        products=Arithmetic.TF32,
        distributions=DISTRIBUTIONS,
        releases=xla.CUDA_RELEASES,
        libraries=libraries,
        environment=ENVIRONMENT,
        target=_card,
        boards=_gpus,
        only=lambda gpus: {GPUS_VARIABLE: ",".join(gpus)},
        plugins=xla.CUDA_PLUGINS,
        install=_INSTALL,
        preload=xla.PRELOAD,
    ),
)
