# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What all devices that go through XLA have in common."""

from pathlib import Path

from bringup.harness.devices.kind import IrLevel, Released
from bringup.harness.records.values import Status

COMPILER = "xla"
LEVELS = (IrLevel("hlo_optimized", Status.CONVERTED_TO_TTIR),)
ENVIRONMENT = (
    *("XLA_*", "JAX_*", "TF_XLA_*", "TF_CUDNN_*", "TF_GPU_*", "TF_ENABLE_*", "TF_DISABLE_*"),
    *("TF_FORCE_*", "TF_USE_*", "TF_DETERMINISTIC_OPS", "LD_PRELOAD", "LD_LIBRARY_PATH"),
)
DISTRIBUTIONS = ("jax", "jaxlib")
RELEASES = (Released("jaxlib", ("jax",), "0.7.0"),)
CUDA_RELEASES = (Released("jax-cuda12-pjrt", (), "0.7.0"), *RELEASES)
TPU_RELEASES = (Released("libtpu"), *RELEASES)
CUDA_PLUGINS = ("*cuda*",)
CUDA_INSTALL = "pip install 'bringup[cuda]' brings one"
TPU_INSTALL = "pip install 'bringup[tpu]' brings it"
PRELOAD = ("jax", "jaxlib.xla_client", "bringup.harness.devices.backends.pjrt")


def jaxlib_libraries() -> tuple[Path, ...]:
    """The library that is XLA and its CPU client."""
    from bringup.harness.devices.shared_libraries import libraries_of

    return (*libraries_of("jaxlib", "*.so"), *libraries_of("jaxlib", "cpu/*.so"))


def tpu_libraries() -> tuple[Path, ...]:
    """TPUs' compiler, and XLA's library that opens it."""
    from bringup.harness.devices.shared_libraries import libraries_of

    return (*libraries_of("libtpu", "libtpu.so"), *jaxlib_libraries())
