# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Estimates against executions on the CPU, whose figures are measured here and not read in a sheet.

The peak is what XLA makes of a large matrix product, the bandwidth what it makes of a large matrix
and a vector. A program is executed with its arguments already there, as an estimate assumes, and
the fastest of three counts: the machine may have other things to do.
"""

import statistics
import time
from typing import Any

import numpy as np
from torch_mlir import ir

from bringup.harness.devices.backend import dtype_of
from bringup.harness.devices.backends.pjrt import PjrtBackend
from bringup.harness.devices.figures import Figures
from bringup.harness.devices.wire import Analysis
from bringup.harness.estimate.roofline import estimate
from bringup.harness.estimate.stablehlo_work import work_of
from bringup.harness.mlir import TorchMlir, main_of, read
from tests.benchmarks.figures import Figure

_SIDE, _LONG = 2048, 8192
_PRODUCT = f"""
func.func @main(%a: tensor<{_SIDE}x{_SIDE}xf32>, %b: tensor<{_SIDE}x{_SIDE}xf32>)
  -> tensor<{_SIDE}x{_SIDE}xf32> {{
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
    : (tensor<{_SIDE}x{_SIDE}xf32>, tensor<{_SIDE}x{_SIDE}xf32>) -> tensor<{_SIDE}x{_SIDE}xf32>
  return %0 : tensor<{_SIDE}x{_SIDE}xf32>
}}"""
_READ = f"""
func.func @main(%a: tensor<{_LONG}x{_LONG}xf32>, %b: tensor<{_LONG}xf32>) -> tensor<{_LONG}xf32> {{
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
    : (tensor<{_LONG}x{_LONG}xf32>, tensor<{_LONG}xf32>) -> tensor<{_LONG}xf32>
  return %0 : tensor<{_LONG}xf32>
}}"""
_TIMES = 3
_NUMPY = {"f32": "float32", "f64": "float64", "i64": "int64", "i32": "int32", "i1": "bool"}


def measure(lowered: dict[str, bytes]) -> list[Figure]:
    """`roofline_error` and `roofline_ratio` over the programs."""
    backend = PjrtBackend()
    backend.open()
    figures = _of_this_cpu(backend)
    ratios, wrong = [], []
    for name, artifact in lowered.items():
        mlir = TorchMlir()
        with mlir.context:
            module = read(mlir, artifact)
            types = [
                str(argument.type) for argument in main_of(module).regions[0].blocks[0].arguments
            ]
            guessed = estimate(work_of(module), Analysis(), figures)
        took = _seconds(backend, artifact, types)
        assert guessed.seconds is not None
        print(
            f"{name}: {took * 1e3:.1f} ms; estimate {guessed.seconds * 1e3:.1f} ms, {guessed.bound}"
        )
        ratios.append(took / guessed.seconds)
        wrong.append(abs(took - guessed.seconds) / took)
    peak, bandwidth = figures.peak["f32"] / 1e9, figures.bandwidth / 1e9
    text = f"{len(ratios)} programs on this CPU: {peak:.0f} GFLOP/s, {bandwidth:.1f} GB/s measured"
    return [
        Figure("roofline_error", statistics.median(wrong), "", "", f"{text}; of the time taken"),
        Figure("roofline_ratio", statistics.median(ratios), "x", "", f"{text}; taken / estimate"),
        Figure("roofline_least", min(ratios), "x", "", f"{text}; the least of taken / estimate"),
    ]


def _of_this_cpu(backend: PjrtBackend) -> Figures:
    mlir = TorchMlir()
    with mlir.context:
        product, streamed = (mlir.portable(ir.Module.parse(text)) for text in (_PRODUCT, _READ))
    square, read_once = f"tensor<{_SIDE}x{_SIDE}xf32>", f"tensor<{_LONG}x{_LONG}xf32>"
    peak = 2 * _SIDE**3 / _seconds(backend, product, [square] * 2)
    took = _seconds(backend, streamed, [read_once, f"tensor<{_LONG}xf32>"])
    bandwidth = 4 * _LONG * _LONG / took
    return Figures(memory=1 << 40, bandwidth=bandwidth, peak={"f32": peak})


def _seconds(backend: PjrtBackend, artifact: bytes, types: list[str]) -> float:
    """The fastest of some executions on arguments that are there already."""
    executable = backend.load(artifact, {})
    sharding = backend._jax.sharding.SingleDeviceSharding(backend._device)
    buffers = [backend._put(_value(kind), sharding) for kind in types]
    found = []
    for _ in range(_TIMES + 1):
        started = time.perf_counter()
        results: Any = executable.execute_sharded(buffers)
        for shards in results.disassemble_into_single_device_arrays():
            shards[0].block_until_ready()
        found.append(time.perf_counter() - started)
    return min(found[1:])  # the first one brings pages in


def _value(kind: str) -> Any:
    """A tensor of a type: small numbers, which take as long as any; of whole ones, zeros."""
    *sizes, element = kind.removeprefix("tensor<").removesuffix(">").split("x")
    shape, dtype = tuple(map(int, sizes)), dtype_of(_NUMPY.get(element, element))
    if not np.issubdtype(dtype, np.floating):
        return np.zeros(shape, dtype)
    return (np.random.default_rng(0).standard_normal(shape, np.float32) * 0.02).astype(dtype)
