# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Accelerators are files: each figure is there with its source, a wrong one is one sentence."""

import os
import re
from pathlib import Path

import pytest

from bringup.harness.devices import catalog
from bringup.harness.devices.backends import accelerator_file
from bringup.harness.devices.backends.accelerator_file import ACCELERATORS, GpuTarget, accelerator
from bringup.harness.devices.backends.iree import read_phases, read_statistics
from bringup.harness.devices.kind import Arithmetic
from bringup.harness.devices.wire import Analysis
from bringup.harness.errors import UsageError
from bringup.harness.options.device_names import device_named

H100 = (ACCELERATORS / "h100.toml").read_text("utf-8")
METAL = (ACCELERATORS / "apple-metal.toml").read_text("utf-8")


@pytest.fixture(autouse=True)
def no_kinds_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalog.KINDS_VARIABLE, "")


def test_figures_are_those_of_the_data_sheets() -> None:
    found = {one.name: one for one in accelerator_file.shipped()}
    h100, a100, v5e = found["h100"], found["a100"], found["tpu-v5e"]
    assert h100.figures.bandwidth == 3.35e12 and h100.figures.peak["bf16"] == 989.4e12
    assert isinstance(h100.target, GpuTarget) and h100.target.compute_capability == (9, 0)
    assert isinstance(a100.target, GpuTarget) and a100.target.cores == 108
    # 132 cores x 128 lanes x 2 operations x 1.98 GHz; the data sheet rounds
    target = h100.target
    counted = target.cores * target.fpus_per_core * 2 * target.clock_ghz * 1e9
    assert counted == pytest.approx(h100.figures.peak["f32"], rel=0.01)
    assert v5e.figures.memory == 16 << 30 and v5e.figures.peak["bf16"] == 197e12
    assert h100.figures.computed_in("f32") == "tf32" and v5e.figures.computed_in("f32") == "bf16"
    assert h100.figures.computed_in("bf16") == "bf16"
    assert h100.figures.computed_in("f8E4M3FN") == "f8" and "f8" in h100.figures.peak
    assert h100.figures.computed_in("ui8") == "i8"


def test_memory_is_what_the_chips_hold_in_binary_units() -> None:
    """AMD, Apple and phone makers write GB for it; ROCm's own table has GiB."""
    gib = {one.name: one.figures.memory / 2**30 for one in accelerator_file.shipped()}
    assert (gib["mi300x"], gib["mi350x"]) == (192, 288)
    assert (gib["apple-metal"], gib["adreno-vulkan"], gib["rdna3-vulkan"]) == (64, 24, 24)


def test_half_the_bits_are_twice_as_fast_on_the_same_matrix_units() -> None:
    for one in accelerator_file.shipped():
        peak = one.figures.peak
        if one.name in ("a100", "h100", "h200", "b200"):
            assert peak["tf32"] * 2 == pytest.approx(peak["bf16"], rel=1e-3), one.name
            assert peak["bf16"] * 2 == pytest.approx(peak["i8"], rel=1e-3), one.name


def test_one_board_by_two_compilers_has_one_set_of_figures() -> None:
    found = {one.name: one.figures for one in accelerator_file.shipped()}
    assert found["a100"] == found["a100-iree"]
    assert found["rtx4090-iree"].memory == found["ada-vulkan"].memory


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cores = 132", 'cores = "many"', "target.cores: expected `int`, got `str`"),
        ("cores = 132", "cors = 132", "target.cors: there is no such field"),
        ("cores = 132", "", "target.cores: is missing"),
        ("cores = 132", "cores = 0", "target.cores: expected `int` >= 1, got 0"),
        ("[9, 0]", "[9]", "target.compute_capability: expected `array` of length 2, got 1"),
        ("84_942_979_072", "-3", "memory_bytes: expected `int` >= 1, got -3"),
        ("3.35e12", "nan", "memory_bandwidth: expected `float` > 0.0, got nan"),
        ("3.35e12", "inf", "memory_bandwidth: expected `float` <= 1e+21"),
        ("3.35e12", "-1", "memory_bandwidth: expected `float` > 0.0"),
        ("bf16 = 989.4e12", "bf16 = nan", "peak.bf16: expected `float` > 0.0, got nan"),
        ("bf16 = 989.4e12", "bf16 = 0", "peak.bf16: expected `float` > 0.0"),
        ("bf16 = 989.4e12", 'bf16 = "fast"', "peak.bf16: expected `float`, got `str`"),
        ("bf16 = 989.4e12", "bf61 = 1", "peak.bf61: no type we count in; those: f64, f32, tf32"),
        ("tf32 = 494.7e12\n", "", "products: tf32 has no rate in [peak]"),
        ('route = "xla-cuda"', 'route = "xla"', "route: invalid enum value 'xla'"),
        ("sources = [", "sources = [] # [", "sources: expected `array` of length >= 1"),
        ('title = "', 'title = 3 # "', "title: expected `str`, got `int`"),
        ("[target]", "[[target]]", "target: expected `object`, got `array`"),
    ],
)
def test_a_wrong_figure_is_a_sentence_with_file_and_field(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(H100.replace(old, new, 1))
    with pytest.raises(UsageError, match=re.escape(f"{file}: {said}")):
        accelerator(file)


def test_what_is_no_file_of_figures_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xff\xfe = [")
    with pytest.raises(UsageError, match=r"mine\.toml is not TOML"):
        accelerator(file)
    spaced = tmp_path / "my <script> board.toml"
    spaced.write_text(METAL)
    with pytest.raises(UsageError, match="a device is called like its file"):
        accelerator(spaced)


def test_a_file_of_ones_own_is_a_device_called_like_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my boards"
    folder.mkdir()
    (folder / "desk-gpu.toml").write_text(METAL)
    monkeypatch.chdir(tmp_path)
    assert device_named("my boards/desk-gpu.toml") == "desk-gpu"
    assert device_named("my boards/desk-gpu.toml") == "desk-gpu"
    assert os.environ[catalog.KINDS_VARIABLE] == str(folder / "desk-gpu.toml")
    kind = catalog.kind_of("desk-gpu")
    assert kind.figures is not None and kind.figures.bandwidth == 400e9
    assert "desk-gpu" in catalog.kinds_listed()


def test_a_file_that_cannot_be_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file nowhere\.toml"):
        device_named("nowhere.toml")
    (tmp_path / "mi300x.toml").write_text(METAL)
    device_named(str(tmp_path / "mi300x.toml"))
    with pytest.raises(UsageError, match="there is a device called mi300x already"):
        catalog.kind_of("whatever")
    (tmp_path / "a,b.toml").write_text(METAL)
    with pytest.raises(UsageError, match="a comma in the path"):
        device_named(str(tmp_path / "a,b.toml"))


def test_without_its_card_an_accelerator_is_shared_and_depends_on_its_figures(
    tmp_path: Path,
) -> None:
    kind = catalog.kind_of("mi300x")
    assert not kind.exclusive() and "--iree-rocm-target=gfx942" in kind.flags
    assert kind.target("mi300x") != catalog.kind_of("mi350x").target("mi350x")
    assert catalog.kind_of("rdna3-vulkan").products is None
    assert catalog.kind_of("a100-iree").coarsest is Arithmetic.TF32


def test_the_accelerators_come_after_the_devices_that_have_modules_of_their_own() -> None:
    names = list(catalog.kinds_listed())
    assert names.index("n150") < names.index("a100-iree")


def test_what_an_iree_compile_left_is_read(tmp_path: Path) -> None:
    for number, phase in enumerate(("input", "abi", "stream", "executable-targets", "vm")):
        (tmp_path / f"program.{number}.{phase}.mlir").write_text(phase)
    assert [level.name for level in read_phases(tmp_path)] == [
        *("input", "stream", "executable-targets", "vm")
    ]
    file = tmp_path / "statistics.json"
    file.write_text('{"stream-aggregate": {"execution": {"transient-memory-size": 262144}}}')
    assert read_statistics(file, 10) == Analysis(allocated=262144, code=10)
    for nonsense in ("", "[]", '{"stream-aggregate": null}'):
        file.write_text(nonsense)
        assert read_statistics(file, 10) == Analysis(code=10)


def test_every_accelerator_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[4] / "docs" / "accelerators.md").read_text("utf-8")
    assert [one.name for one in accelerator_file.shipped() if f"`{one.name}`" not in page] == []
