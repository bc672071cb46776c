# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Generated system descriptors in the real Tenstorrent plugin, compiling without hardware.

Every open is a child process: one process can hold one descriptor only. The plugin copies the
descriptor to a file of fixed name in the temporary folder, reads that copy at every compile and
deletes it at the end, so the children get a temporary folder of their own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path

import pytest

from bringup.harness.devices.backends.system_desc import (
    Board,
    Chip,
    board_names,
    encode,
    load_board,
    write_descriptor,
)

PLUGIN = "jax-tt-plugin"
COPY = "tt_pjrt_system_descriptor"
PROGRAM = """
func.func @main(%a: tensor<32x64xf32>, %b: tensor<64x32xf32>) -> tensor<32x32xf32> {
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
    : (tensor<32x64xf32>, tensor<64x32xf32>) -> tensor<32x32xf32>
  %1 = stablehlo.add %0, %0 : tensor<32x32xf32>
  return %1 : tensor<32x32xf32>
}
"""
CHILD = """
import json, sys
from jaxlib import _jax, xla_client

library, program, folder = sys.argv[1:]
xla_client.load_pjrt_plugin_dynamically("tt", library)
xla_client.initialize_pjrt_plugin("tt")
client = xla_client.make_c_api_client("tt", {})
devices = client.local_devices()
print(json.dumps([device.device_kind for device in devices]), flush=True)
sys.stdin.readline()
options = xla_client.CompileOptions()
options.env_option_overrides = [("export_path", folder)]
try:
    client.compile_and_load(program, _jax.DeviceList(tuple(devices[:1])), options)
    print("compiled")
except Exception as error:
    print(error)
"""


@pytest.fixture(scope="module")
def plugin() -> tuple[str, Path]:
    """Version and library of the installed plugin."""
    try:
        version = metadata.version(PLUGIN)
        package = util.find_spec("jax_plugins.libtt")
    except (metadata.PackageNotFoundError, ModuleNotFoundError):
        package = None
    if package is None or package.origin is None:
        pytest.skip(f"the package {PLUGIN} is not installed")
    return version, Path(package.origin).with_name("libtt.so")


@pytest.fixture(scope="module")
def own_temp() -> Iterator[Path]:
    """A temporary folder of our own that borrows the plugin's unpacked assets, if there are any."""
    folder = Path(tempfile.mkdtemp(prefix="bringup-tt-test-"))
    for assets in Path(tempfile.gettempdir()).glob("libtt-tt-metal-runtime-assets-*"):
        (folder / assets.name).symlink_to(assets)
    yield folder
    shutil.rmtree(folder)


class Compiler:
    """A child process that has opened a descriptor and compiles when told to."""

    def __init__(self, child: "subprocess.Popen[str]", folder: Path) -> None:
        assert child.stdout is not None
        self._child = child
        self._folder = folder
        self.kinds: list[str] = json.loads(child.stdout.readline())

    def compile(self) -> str:
        """`compiled`, or the plugin's error."""
        answer, _ = self._child.communicate("\n", timeout=120)
        return answer.strip()

    def text(self, level: str) -> str:
        """The text of a level that the plugin exported."""
        (path,) = [
            path
            for path in (self._folder / "irs").glob("*.mlir")
            if re.fullmatch(rf"{level}_\d+\.mlir", path.name)
        ]
        return path.read_text()


@contextmanager
def opened(descriptor: Path, library: Path, temp: Path) -> Iterator[Compiler]:
    environment = {
        **os.environ,
        "TT_COMPILE_ONLY_SYSTEM_DESC": str(descriptor),
        "TMPDIR": str(temp),
    }
    folder = descriptor.with_suffix("")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(library), PROGRAM, str(folder)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        try:
            yield Compiler(child, folder)
        finally:
            child.kill()


def as_printed(board: Board) -> str:
    """The board as the compiler prints its `ttcore.system_desc` attribute."""
    hosts = ", ".join(f'{{role = host, target_triple = "{triple}"}}' for triple in board.hosts)
    parts = [
        f"[{hosts}]",
        "[" + ", ".join(map(chip_as_printed, board.chips)) + "]",
        str(list(range(len(board.chips)))),
        "[" + ", ".join(f"{chip.host_attached:d} : i32" for chip in board.chips) + "]",
        "[ " + ",  ".join(f"{c.rack}x{c.shelf}x{c.y}x{c.x}" for c in board.coords) + "]",
    ]
    if board.channels:
        links = (f"<{list(first)}, {list(second)}>" for first, second in board.channels)
        parts.append(f"[{', '.join(links)}]")
    return f"#ttcore.system_desc<{', '.join(parts)}>"


def chip_as_printed(chip: Chip) -> str:
    figures: dict[str, object] = {
        field: getattr(chip, field) for field in chip.__struct_fields__[:-1]
    }
    for field in ("grid", "coord_translation_offsets", "dram_grid"):
        size = getattr(chip, field)
        figures[field] = f"{size.y}x{size.x}"
    for noc in ("noc0", "noc1"):
        field = f"dram_bank_to_logical_worker_{noc}"
        figures[field] = [tuple(core) for core in getattr(chip, field)]
    tiles = ",  ".join(f"{tile.y}x{tile.x}" for tile in chip.supported_tile_sizes)
    figures["supported_tile_sizes"] = f"[ {tiles}]"
    types = ", ".join(f"<{data_type}>" for data_type in chip.supported_data_types)
    figures["supported_data_types"] = f"[{types}]"
    figures["arch"] = f"<{chip.arch}>"
    return "{" + ", ".join(f"{name} = {value}" for name, value in figures.items()) + "}"


@pytest.mark.parametrize("name", board_names())
def test_a_generated_descriptor_opens_compiles_and_is_printed_back(
    name: str, plugin: tuple[str, Path], own_temp: Path, tmp_path: Path
) -> None:
    version, library = plugin
    board = load_board(name)
    descriptor = tmp_path / f"{name}.ttsys"
    write_descriptor(name, descriptor, PLUGIN, version)
    with opened(descriptor, library, own_temp) as compiler:
        assert [kind.lower() for kind in compiler.kinds] == [board.arch] * len(board.chips)
        assert compiler.compile() == "compiled"
    assert "ttir.add" in compiler.text("ttir")
    ttnn = compiler.text("ttnn")
    assert "ttnn.matmul" in ttnn
    assert "ttnn.add" in ttnn
    described = [line for line in ttnn.splitlines() if line.startswith("#system_desc = ")]
    assert described == [f"#system_desc = {as_printed(board)}"]


def test_a_wrong_hash_opens_and_is_refused_at_compile(
    plugin: tuple[str, Path], own_temp: Path, tmp_path: Path
) -> None:
    descriptor = tmp_path / "n150.ttsys"
    descriptor.write_bytes(encode(load_board("n150"), "7f252e8a" * 8))
    with opened(descriptor, plugin[1], own_temp) as compiler:
        assert compiler.kinds == ["Wormhole_b0"]
        assert "system desc schema mismatch" in compiler.compile()


def test_processes_that_share_a_temporary_folder_share_the_last_descriptor(
    plugin: tuple[str, Path], own_temp: Path, tmp_path: Path
) -> None:
    """Why each device host needs a temporary folder of its own. Fails when the plugin mends it."""
    version, library = plugin
    wormhole, blackhole = tmp_path / "n150.ttsys", tmp_path / "p150.ttsys"
    write_descriptor("n150", wormhole, PLUGIN, version)
    write_descriptor("p150", blackhole, PLUGIN, version)
    with (
        opened(wormhole, library, own_temp) as first,
        opened(blackhole, library, own_temp) as second,
    ):
        assert (first.kinds, second.kinds) == (["Wormhole_b0"], ["Blackhole"])
        assert (own_temp / COPY).read_bytes() == blackhole.read_bytes()
        assert first.compile() == "compiled"
        assert "arch = <blackhole>" in first.text("ttnn")
        assert "system desc does not exist" in second.compile()
