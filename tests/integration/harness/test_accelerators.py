# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Accelerators that are not here: compiled for down to the kernels, never executed on."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bringup.harness.device_host import client
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import OpJob
from bringup.harness.devices.backends.accelerator_file import (
    ACCELERATORS,
    Accelerator,
    Route,
    accelerator,
    shipped,
)
from bringup.harness.devices.backends.pjrt_accelerator import plugin_for
from bringup.harness.devices.catalog import kind_of, reached_by
from bringup.harness.devices.failures import DOES_NOT_FIT, DeviceRefusal
from bringup.harness.devices.wire import Placed
from bringup.harness.errors import DeviceError
from bringup.harness.op_by_op.judge import close_run
from bringup.harness.records.schema import Outcome, Status
from bringup.harness.verify import Tolerances
from tests.integration.harness.test_devices import portable
from tests.integration.pytest_runs import MINIATURE, run_pytest

ROOT = Path(__file__).parents[3]
MATMUL = """
func.func @main(%x: tensor<128x256xf32>, %w: tensor<256x512xf32>) -> tensor<128x512xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0]
    : (tensor<128x256xf32>, tensor<256x512xf32>) -> tensor<128x512xf32>
  return %0 : tensor<128x512xf32>
}"""
CHOLESKY = """
func.func @main(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = "stablehlo.cholesky"(%x) {lower = true} : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}"""
ARGUMENTS, OUTPUTS = 4 * (128 * 256 + 256 * 512), 4 * 128 * 512
NEEDS = {"h100": "jax_plugins.xla_cuda12", "tpu-v4": "libtpu", "tpu-v5e": "libtpu"}
KERNELS = {
    "mi300x": "llvm.func",
    "a100-iree": "nvvm",
    "adreno-vulkan": "spirv.module",
    "apple-metal": "spirv.module",
    "h100": ".target sm_90a",
}
"""A device, and what its lowest level of kernels has in it."""


def opened(name: str) -> Device:
    module = NEEDS.get(name, "iree.compiler")
    pytest.importorskip(module, reason=f"the package of {module} is not installed")
    return Device(name)


@pytest.mark.parametrize("name", [*KERNELS, "tpu-v5e"])
def test_a_program_is_compiled_down_to_its_kernels_and_not_executed(name: str) -> None:
    device = opened(name)
    try:
        assert not device.executes() and not kind_of(name).exclusive()
        binary = device.compile(portable(MATMUL), {}, keep_binary=True)
        levels = {level.name: level.text for level in binary.levels}
        assert binary.serialized
        if name in KERNELS:
            assert reached_by(levels) is Status.CONVERTED_TO_TTNN
            assert KERNELS[name] in levels.get("ptx", levels.get("executable-targets", ""))
        else:
            assert "TPU" not in levels and "fusion" in levels["hlo_optimized"]
        with pytest.raises(DeviceError, match=f"{name} only compiles on this machine"):
            device.run(binary, [torch.ones(128, 256), torch.ones(256, 512)])
    finally:
        device.close()


def test_the_compilers_own_figures_come_along() -> None:
    tpu, gpu, amd = opened("tpu-v5e"), opened("h100"), opened("mi300x")
    try:
        said = tpu.compile(portable(MATMUL), {}).analysis
        assert (said.arguments, said.outputs) == (ARGUMENTS, OUTPUTS)
        assert said.flops == 2 * 128 * 256 * 512 and said.bytes is not None
        said = gpu.compile(portable(MATMUL), {}).analysis
        assert (said.arguments, said.outputs) == (ARGUMENTS, OUTPUTS) and said.flops is None
        said = amd.compile(portable(MATMUL), {}).analysis
        assert said.arguments is None and said.allocated == OUTPUTS
    finally:
        for device in (tpu, gpu, amd):
            device.close()


@pytest.mark.parametrize("name", ["tpu-v5e", "h100"])
def test_one_program_over_several_chips_takes_a_part_of_each_argument(name: str) -> None:
    device = opened(name)
    try:
        binary = device.compile(portable(MATMUL), {}, placed=Placed((0, 1, 2, 3), (0,)))
        assert binary.analysis.arguments == ARGUMENTS - 3 * 4 * 128 * 256 // 4
        assert "f32[32,256]" in binary.levels[0].text
    finally:
        device.close()


def test_a_refusal_is_in_the_compilers_own_words_and_the_device_lives_on() -> None:
    device = opened("mi300x")
    try:
        with pytest.raises(DeviceRefusal, match=r"failed to legalize .*'stablehlo\.cholesky'"):
            device.compile(portable(CHOLESKY), {})
        assert device.compile(portable(MATMUL), {}).levels
    finally:
        device.close()


def listed(*names: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.list_devices", *names, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "right", "wrong", "said"),
    [
        ("mi300x", "gfx942", "gfx999", "does not compile for 'gfx999' by iree-hip"),
        (
            "adreno-vulkan",
            'architecture = "adreno"',
            'architecture = "nokia"',
            "not compile for 'nokia'",
        ),
        ("tpu-v5e", "v5e:2x2", "v9:1x1", "target.topology: tpu does not take it: INVALID_ARGUMENT"),
        ("tpu-v4", "megacore", "nocore", "target.chip_config: tpu does not take it: NOT_FOUND"),
        ("h100", "[9, 0]", "[77, 7]", "bad.toml: target: cuda does not take it: "),
    ],
)
def test_a_file_of_ones_own_is_opened_or_refused_in_a_sentence(
    tmp_path: Path, name: str, right: str, wrong: str, said: str
) -> None:
    opened(name)
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text((ACCELERATORS / f"{name}.toml").read_text("utf-8"))
    bad.write_text(good.read_text().replace(right, wrong))
    taken, refused = listed(str(good), str(bad))
    assert taken["state"] == "compiles" and taken["name"] == "good"
    assert refused["state"] == "missing" and said in refused["reason"]
    assert "\n" not in refused["reason"]


@pytest.mark.parametrize(
    ("name", "modules", "said"),
    [
        ("tpu-v5e", ("libtpu",), "libtpu is not installed; pip install 'bringup[tpu]' brings it"),
        (
            "h100",
            ("jax_plugins", "jax_plugins.xla_cuda12"),
            "is installed; pip install 'bringup[cuda]' brings one",
        ),
    ],
)
def test_a_missing_extra_is_a_sentence_that_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, name: str, modules: tuple[str, ...], said: str
) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DeviceError) as refused:
        plugin_for(accelerator(ACCELERATORS / f"{name}.toml"))
    assert said in str(refused.value)


DYING = """#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
void *GetPjrtApi(void) { fprintf(stderr, "%s\\n", "no board answers"); WAY; return 0; }
"""


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("abort()", "died (SIGABRT): no board answers"),
        ("_exit(7)", "died (exit code 7): no board answers"),
        ("for (;;) sleep(9)", "gave no answer in 20 s and was stopped: no board answers"),
    ],
)
def test_a_plugin_that_dies_or_hangs_while_it_is_opened_is_a_sentence_and_its_own_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, said: str
) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to make a plugin with")
    source, library = tmp_path / "plugin.c", tmp_path / "plugin.so"
    source.write_text(DYING.replace("WAY", way))
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("BRINGUP_PJRT_PLUGIN_A_CUDA", str(library))  # the first, and so the one
    dying, other = Device("h100"), Device("mi300x")
    try:
        with monkeypatch.context() as soon, pytest.raises(DeviceError) as wrong:
            if "sleep" in way:  # long enough for a busy machine to come as far as the plugin
                soon.setattr(client, "OPEN_TIMEOUT", 20.0)
            dying.open()
        assert str(wrong.value).startswith("opening h100: ") and str(wrong.value).endswith(said)
        assert not other.executes()
    finally:
        dying.close()
        other.close()


HUGE = """
func.func @main(%x: tensor<200000x65536xf32>) -> tensor<200000x65536xf32> {
  %0 = stablehlo.tanh %x : tensor<200000x65536xf32>
  return %0 : tensor<200000x65536xf32>
}"""


TPUS = [one for one in shipped() if one.route is Route.XLA_TPU]


@pytest.mark.parametrize("found", TPUS, ids=[one.name for one in TPUS])
def test_a_tpu_has_the_memory_that_its_compiler_says_but_for_what_that_reserves(
    found: Accelerator,
) -> None:
    opened("tpu-v5e").close()
    device = Device(found.name)
    try:
        with pytest.raises(DeviceRefusal) as refused:
            device.compile(portable(HUGE.replace("200000", "400000")), {})
        said = re.search(r"available HBM \(([\d.]+)G\)", str(refused.value))
        assert said is not None
        assert 0.9 < float(said[1]) * 2**30 / found.figures.memory <= 1
    finally:
        device.close()


def test_a_compiler_that_finds_no_room_says_so_and_it_is_no_fault_of_the_machine() -> None:
    device = opened("tpu-v5e")
    try:
        with pytest.raises(DeviceRefusal, match=r"exceeds available HBM") as refused:
            device.compile(portable(HUGE), {})
        assert refused.value.kind == DOES_NOT_FIT
        run = device.run_op(OpJob(stablehlo=portable(HUGE)))
        end = close_run(run, lambda: None, Tolerances())
        assert end.outcome is Outcome.DOES_NOT_FIT and end.failure is not None
        assert end.failure.kind == "DOES_NOT_FIT"
    finally:
        device.close()


def test_a_model_that_a_device_has_no_room_for_does_not_fit_and_did_not_fail(
    tmp_path: Path,
) -> None:
    opened("apple-metal")
    text = (ACCELERATORS / "apple-metal.toml").read_text("utf-8")
    roomy, narrow = tmp_path / "roomy.toml", tmp_path / "narrow.toml"
    roomy.write_text(text)
    narrow.write_text(text.replace("memory_bytes = 68_719_476_736", "memory_bytes = 40"))
    done = run_pytest(
        tmp_path / "run", f"{MINIATURE}/test_nearly.py", "--device", f"{roomy},{narrow}"
    )
    by_device = {record.identity.device: record for record in done.records.values()}
    fits, too_large = by_device["roomy"], by_device["narrow"]
    assert fits.outcome is Outcome.REACHED and too_large.outcome is Outcome.DOES_NOT_FIT
    assert fits.status is too_large.status is Status.CONVERTED_TO_TTNN
    assert all(stage.ok for stage in too_large.stages)
    assert too_large.failure is not None and too_large.failure.stage is None
    assert too_large.failure.message.startswith("narrow: it needs ")
    assert fits.estimate is not None and too_large.estimate is not None
    assert fits.estimate.fits and not too_large.estimate.fits
    assert fits.estimate.memory.needed == too_large.estimate.memory.needed > 40
    assert fits.estimate.seconds and fits.estimate.rate == "f32"
    assert done.code == 1
