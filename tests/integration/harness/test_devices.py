# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Devices and their hosts: right results in every dtype, and every way a request can end."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch
from torch_mlir import ir

from bringup.harness.device_host.client import Device
from bringup.harness.devices.failures import DeviceRefusal, HostCrash, HostTimeout
from bringup.harness.errors import DeviceError, UsageError
from bringup.harness.mlir import TorchMlir, at_version

ROOT = Path(__file__).parents[3]


def portable(text: str) -> bytes:
    mlir = TorchMlir()
    with mlir.context:
        return mlir.portable(ir.Module.parse(text))


IDENTITY = "func.func @main(%x: tensor<{0}>) -> tensor<{0}> {{ return %x : tensor<{0}> }}"
ADD = """
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.add %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}"""
EMPTY_CONTRACTION = """
func.func @main(%a: tensor<4x0xf32>, %b: tensor<0x4xf32>) -> tensor<4x4xf32> {
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
    : (tensor<4x0xf32>, tensor<0x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}"""
FFT = """
func.func @main(%x: tensor<8xcomplex<f32>>) -> tensor<8xcomplex<f32>> {
  %0 = stablehlo.fft %x, type = FFT, length = [8]
    : (tensor<8xcomplex<f32>>) -> tensor<8xcomplex<f32>>
  return %0 : tensor<8xcomplex<f32>>
}"""


def sines(count: int) -> str:
    lines = [f"%{i + 1} = stablehlo.sine %{i} : tensor<8xf32>" for i in range(count)]
    body = "\n".join(["%0 = stablehlo.sine %x : tensor<8xf32>", *lines])
    return f"func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {{ {body}\nreturn %{count} : tensor<8xf32> }}"  # noqa: E501


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    device = Device("cpu")
    yield device
    device.close()


@pytest.fixture(scope="module")
def iree() -> Iterator[Device]:
    pytest.importorskip("iree.compiler", reason="the package iree-base-compiler is not installed")
    device = Device("iree-cpu")
    yield device
    device.close()


@pytest.fixture(scope="module")
def n150() -> Iterator[Device]:
    pytest.importorskip("jax_plugins.libtt", reason="the package jax-tt-plugin is not installed")
    device = Device("n150")
    yield device
    device.close()


VALUES = {
    "4xf32": torch.tensor([0.0, -0.0, float("nan"), float("inf")]),
    "2x3xf64": torch.randn(2, 3, dtype=torch.float64),
    "4xf16": torch.tensor([1.5, -2.0, 65504.0, 6e-8], dtype=torch.float16),
    "4xbf16": torch.tensor([1.5, -2.0, 3e38, 1e-38], dtype=torch.bfloat16),
    "3xi1": torch.tensor([True, False, True]),
    "3xi8": torch.tensor([-128, 0, 127], dtype=torch.int8),
    "3xui8": torch.tensor([0, 128, 255], dtype=torch.uint8),
    "2xi16": torch.tensor([-32768, 32767], dtype=torch.int16),
    "2xi32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "2xi64": torch.tensor([-(2**63), 2**53 + 1]),
    "2xcomplex<f32>": torch.tensor([1 + 2j, -3.5j]),
    "f32": torch.tensor(3.25),
    "0x4xf32": torch.empty(0, 4),
}


@pytest.mark.parametrize("type_", VALUES)
def test_every_dtype_and_shape_comes_back_bit_for_bit(cpu: Device, type_: str) -> None:
    value = VALUES[type_]
    binary = cpu.compile(portable(IDENTITY.format(type_)), {})
    (back,), _ = cpu.run(binary, [value])
    binary.release()
    assert back.dtype == value.dtype and back.shape == value.shape
    as_bytes = [t.reshape(-1).contiguous().view(torch.uint8).tolist() for t in (back, value)]
    assert as_bytes[0] == as_bytes[1]


def test_strided_views_and_tied_tensors_arrive_whole(cpu: Device) -> None:
    binary = cpu.compile(portable(ADD), {})
    base = torch.arange(16, dtype=torch.float32).reshape(4, 4)
    (total,), _ = cpu.run(binary, [base[:, 1], base[:, 1]])
    assert total.tolist() == [2.0, 10.0, 18.0, 26.0]


def test_inputs_larger_than_any_pipe_pass(cpu: Device) -> None:
    value = torch.randn(1 << 22)
    binary = cpu.compile(portable(IDENTITY.format(f"{1 << 22}xf32")), {})
    (back,), usage = cpu.run(binary, [value])
    assert torch.equal(back, value)
    assert usage.peak_rss > value.nbytes


def test_a_refusal_carries_the_compilers_words_and_the_levels_reached(n150: Device) -> None:
    with pytest.raises(DeviceRefusal) as refused:
        n150.compile(at_version(portable(FFT), "1.14.0"), {})
    assert "failed to legalize" in refused.value.diagnostic
    assert [level.name for level in refused.value.levels] in ([], ["ttir"])
    again = n150.compile(at_version(portable(ADD), "1.14.0"), {})
    assert [level.name for level in again.levels] == ["ttir", "ttnn"], "its host lives on"


def test_a_compile_only_device_never_executes(n150: Device) -> None:
    binary = n150.compile(at_version(portable(ADD), "1.14.0"), {})
    with pytest.raises(DeviceError, match="n150 only compiles on this machine"):
        n150.run(binary, [torch.ones(4), torch.ones(4)])


def test_two_boards_at_once_compile_each_for_itself(n150: Device) -> None:
    p150 = Device("p150")
    try:
        texts = {}
        for _ in range(2):
            for device in (n150, p150):
                binary = device.compile(at_version(portable(ADD), "1.14.0"), {})
                texts[device.name] = binary.levels[-1].text
        assert "arch = <wormhole_b0>" in texts["n150"]
        assert "arch = <blackhole>" in texts["p150"]
    finally:
        p150.close()


def test_iree_keeps_its_phases(iree: Device) -> None:
    binary = iree.compile(portable(ADD), {})
    names = [level.name for level in binary.levels]
    assert names[0] == "input" and "flow" in names and names[-1] == "vm"
    (total,), _ = iree.run(binary, [torch.ones(4), torch.arange(4.0)])
    assert total.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_real_crash_in_a_compiler_is_one_exception_and_the_device_comes_back(
    iree: Device,
) -> None:
    with pytest.raises(HostCrash) as crashed:
        iree.compile(portable(EMPTY_CONTRACTION), {})
    assert crashed.value.kind == "SIGFPE"
    binary = iree.compile(portable(ADD), {})
    (total,), _ = iree.run(binary, [torch.ones(4), torch.ones(4)])
    assert total.tolist() == [2.0] * 4


def test_a_compile_past_its_deadline_is_stopped_and_shows_its_stack(iree: Device) -> None:
    iree.open()
    started = time.monotonic()
    with pytest.raises(HostTimeout) as late:
        iree.compile(portable(sines(1500)), {}, timeout=2.0)
    assert time.monotonic() - started < 20
    assert "in compile" in late.value.diagnostic
    assert iree.compile(portable(ADD), {}).levels


def test_a_killed_host_is_named_by_its_signal(cpu: Device) -> None:
    cpu.open()
    assert cpu._host is not None
    host = cpu._host.process
    host.send_signal(signal.SIGSTOP)  # it is there when it is asked, and never answers
    threading.Timer(0.5, host.send_signal, [signal.SIGKILL]).start()
    with pytest.raises(HostCrash, match=r"the process that serves cpu died \(SIGKILL\)"):
        cpu.compile(portable(ADD), {})
    assert cpu.compile(portable(ADD), {}).number == 1


def test_a_program_of_a_dead_host_is_refused(cpu: Device) -> None:
    binary = cpu.compile(portable(ADD), {})
    cpu.close()
    with pytest.raises(DeviceError, match="in a host of cpu that is gone"):
        cpu.run(binary, [torch.ones(4), torch.ones(4)])


def test_a_host_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "from bringup.harness.device_host.client import Device; import time\n"
        "d = Device('cpu'); d.open(); print(d._host.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    host = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    host.wait(timeout=10)
    assert not host.is_running()


FORKED = """
import os, sys, torch
from bringup.harness.device_host.shared import device
from tests.integration.harness.test_devices import ADD, portable
ours = device("cpu")
binary = ours.compile(portable(ADD), {})
pid = os.fork()
if pid == 0:
    theirs = device("cpu")
    ours.close()
    sys.exit(theirs is ours or theirs._host is not None)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
(outputs,), _ = ours.run(binary, [torch.ones(4), torch.ones(4)])
print(outputs.tolist(), ours._host._scratch.path.is_dir())
"""


@pytest.mark.usefixtures("no_process_left")
def test_a_process_that_is_forked_off_leaves_its_parents_host_alone() -> None:
    """Also when it ends, and runs what its parent has for its own end."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "[2.0, 2.0, 2.0, 2.0] True\n", done.stderr


def test_devices_that_cannot_be_had_say_why() -> None:
    with pytest.raises(UsageError, match=r"unknown device 'n15'; .*; did you mean n150\?$"):
        Device("n15")
    with pytest.raises(DeviceError, match="no PJRT plugin for nothere is installed"):
        Device("pjrt:nothere").open()


def test_a_missing_plugin_and_an_unknown_version_are_sentences(tmp_path: Path) -> None:
    metadata = tmp_path / "jax_tt_plugin-9.9.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: jax-tt-plugin\nVersion: 9.9\n")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.list_devices", "n150", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    (listed,) = json.loads(done.stdout)
    assert listed["state"] == "missing"
    assert "jax-tt-plugin 9.9" in listed["reason"] and "0.1.3" in listed["reason"]
    assert "Traceback" not in done.stderr
