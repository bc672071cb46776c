# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The procedure op by op is measured against: a new process compiles each op, one runs them all.

As tt-torch's `OpByOpExecutor` did it: the parent lowers an op with torch-mlir; a process from
multiprocessing's fork server, with nothing preloaded, imports torch, opens the device and compiles
it; a second process, which stays, runs the binary; texts, binaries and inputs go through queues;
the parent looks for a result every 10 ms; ops one after the other. What it did besides for every
op (PyTorch's own result to compare with, reading the binary back as JSON, three handshakes for one
compile) is left out here, in its favour.

`python -m tests.benchmarks.op_by_op.process_per_op FOLDER DEVICE` reads `FOLDER/ops.json`, rows of
`Sample`, and prints the seconds of each as a JSON array. It shares the device's backend with the
harness, for the device's part to be the same on both sides, and nothing else.
"""

import json
import multiprocessing
import os
import queue
import sys
import tempfile
import time
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch_mlir import ir
from torch_mlir.compiler_utils import (
    OutputType,
    TorchMlirCompilerError,
    lower_mlir_module,
    run_pipeline_with_repro_report,
)
from torch_mlir.dialects import torch as torch_dialect

from bringup.harness.devices.catalog import make_backend
from bringup.harness.devices.tensors import WIRE_NAMES
from bringup.harness.records.variable_names import COMMON_FOLDER_VARIABLE

POLL_S = 0.01
DEADLINE_S = 60.0
_DTYPES = {name: dtype for dtype, name in WIRE_NAMES.items()}


class Sample(msgspec.Struct):
    """One op to be timed: its torch dialect text, and its inputs' dtypes and shapes."""

    torch_ir: str
    inputs: list[tuple[str, tuple[int, ...]]]


def compile_process(receiver: "Queue[Any]", sender: "Queue[Any]", device: str) -> None:
    """Compile one op and end."""
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="bringup-baseline-")
    tempfile.tempdir = None
    text = receiver.get()
    backend = make_backend(device)
    executes = backend.open().executes
    executable, levels = backend.compile(text.encode(), {})
    binary = backend.serialize(executable) if executes else b""
    sender.put({"binary": binary, "levels": [level.text for level in levels]})
    sender.close()
    sender.join_thread()
    os._exit(0)  # plugins crash in their static destructors


def execute_process(receiver: "Queue[Any]", sender: "Queue[Any]") -> None:
    """Run binaries on XLA's CPU client until the parent is gone."""
    from bringup.harness.devices.backends.pjrt import PjrtBackend

    backend = PjrtBackend()
    backend.open()
    devices = backend._core.DeviceList((backend._device,))
    while True:
        binary, inputs = receiver.get()
        executable = backend._client.deserialize_executable(binary, devices, None)
        outputs = backend.run(executable, [tensor.numpy() for tensor in inputs])
        sender.put([torch.from_numpy(output.copy()) for output in outputs])


class ProcessPerOp:
    """The parent's side."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._context = multiprocessing.get_context("forkserver")
        self._runner: tuple[Any, Queue[Any], Queue[Any]] | None = None

    def take(self, sample: Sample) -> float:
        """Seconds to lower, compile and, on the CPU, run one op."""
        inputs = [_tensor(dtype, shape) for dtype, shape in sample.inputs]
        started = time.perf_counter()
        stablehlo = _lower(sample.torch_ir)
        binary = self._compile(stablehlo) if stablehlo else b""
        if binary:
            self._run(binary, inputs)
        return time.perf_counter() - started

    def _compile(self, stablehlo: str) -> bytes:
        there, back = self._context.Queue(), self._context.Queue()
        process = self._context.Process(target=compile_process, args=(there, back, self._device))
        process.start()
        there.put(stablehlo)
        result = _poll(back, process)
        process.join()
        return result["binary"] if result else b""

    def _run(self, binary: bytes, inputs: list[torch.Tensor]) -> None:
        if self._runner is None or not self._runner[0].is_alive():
            there, back = self._context.Queue(), self._context.Queue()
            process = self._context.Process(target=execute_process, args=(there, back), daemon=True)
            process.start()
            self._runner = (process, there, back)
        process, there, back = self._runner
        there.put((binary, inputs))
        _poll(back, process)


def _poll(back: "Queue[Any]", process: Any) -> Any:
    """The next message; None when its sender ends or takes too long."""
    started = time.monotonic()
    while time.monotonic() - started < DEADLINE_S:
        try:
            return back.get_nowait()
        except queue.Empty:
            if not process.is_alive():
                return None
        time.sleep(POLL_S)
    process.terminate()
    return None


def _lower(torch_ir: str) -> str:
    """StableHLO text; empty where torch-mlir gives up."""
    context = ir.Context()
    torch_dialect.register_dialect(context)
    with context:
        module = ir.Module.parse(torch_ir)
        pipeline = "builtin.module(torchdynamo-export-to-torch-backend-pipeline)"
        try:
            run_pipeline_with_repro_report(module, pipeline, "torch to torch backend")
            lower_mlir_module(False, OutputType.STABLEHLO, module)
        except TorchMlirCompilerError:
            return ""
        text = str(module.operation.get_asm())
    return text.replace("arith.constant dense", "stablehlo.constant dense")


def _tensor(dtype: str, shape: tuple[int, ...]) -> torch.Tensor:
    chosen = _DTYPES[dtype]
    if chosen.is_floating_point:
        return torch.rand(shape).to(chosen)
    return torch.zeros(shape, dtype=chosen)


def main() -> None:
    """Time the samples named on the command line; the first one also goes before, untimed."""
    folder, device = Path(sys.argv[1]), sys.argv[2]
    os.environ.setdefault(COMMON_FOLDER_VARIABLE, tempfile.gettempdir())
    samples = msgspec.json.decode((folder / "ops.json").read_bytes(), type=list[Sample])
    procedure = ProcessPerOp(device)
    procedure.take(samples[0])
    print(json.dumps([procedure.take(sample) for sample in samples]))


if __name__ == "__main__":
    main()
