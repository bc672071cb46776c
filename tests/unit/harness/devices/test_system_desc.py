# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""System descriptors: our chip files against captures from hardware, there and back."""

import shutil
from pathlib import Path

import msgspec
import pytest

from bringup.harness.devices.backends.system_desc import (
    CHIPS,
    Board,
    SystemDescError,
    board_names,
    decode,
    differences,
    encode,
    load_board,
    schema_hash_for,
    write_descriptor,
)

CAPTURES = Path(__file__).parents[3] / "data" / "system_desc"
BOARDS = ("n150", "n300", "n300-llmbox", "p150")
HASH = "0123456789abcdef" * 4


def capture(name: str) -> bytes:
    return (CAPTURES / f"{name}_system_desc.ttsys").read_bytes()


@pytest.fixture
def chips(tmp_path: Path) -> Path:
    """Chip files of our own to spoil."""
    return Path(shutil.copytree(str(CHIPS), tmp_path / "chips"))


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_every_board_has_a_capture_and_every_capture_a_board() -> None:
    captured = {path.name.removesuffix("_system_desc.ttsys") for path in CAPTURES.iterdir()}
    assert board_names() == BOARDS
    assert captured == set(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_a_chip_file_says_what_the_hardware_says(name: str) -> None:
    _, captured = decode(capture(name))
    assert differences(load_board(name), captured) == []
    assert load_board(name) == captured


@pytest.mark.parametrize(
    ("name", "arch", "chips", "attached", "links"),
    [
        ("n150", "wormhole_b0", 1, 1, 0),
        ("n300", "wormhole_b0", 2, 1, 1),
        ("n300-llmbox", "wormhole_b0", 8, 4, 14),
        ("p150", "blackhole", 1, 1, 0),
    ],
)
def test_what_a_board_is(name: str, arch: str, chips: int, attached: int, links: int) -> None:
    board = load_board(name)
    assert board.arch == arch
    assert len(board.chips) == chips
    assert sum(chip.host_attached for chip in board.chips) == attached
    assert len(board.channels) == links


def test_a_capture_tells_who_made_it() -> None:
    header, _ = decode(capture("n150"))
    assert header.version == "0.0.3758"
    assert header.schema_hash.startswith("7f252e8a")
    assert header.git_hash == "464a5f341908d5a3f790e697be5ffa6fd3fb6f32"
    assert header.product == "unknown"


@pytest.mark.parametrize("name", BOARDS)
def test_there_and_back(name: str) -> None:
    board = load_board(name)
    header, back = decode(encode(board, HASH, git_hash="abc"))
    assert (header.schema_hash, header.git_hash) == (HASH, "abc")
    assert back == board


def test_there_and_back_at_the_ends_of_the_ranges() -> None:
    """Zero is a flatbuffer's default and takes no room; NoCs and chips may differ."""
    board = load_board("n300")
    least = msgspec.structs.replace(
        board.chips[0], num_cbs=0, l1_size=0, dram_bank_to_logical_worker_noc1=()
    )
    most = msgspec.structs.replace(
        board.chips[1],
        dram_unreserved_end=2**32 - 1,
        dram_channel_size=2**63 - 1,
        supported_data_types=(),
    )
    edge = Board(hosts=(), chips=(least, most), coords=(), channels=())
    assert decode(encode(edge, HASH))[1] == edge


def test_chips_may_share_a_description() -> None:
    """The format has a vector of descriptions and one of indices; captures repeat, not all may."""
    data = bytearray(encode(load_board("n300"), HASH))
    indices = bytes.fromhex("02000000 00000000 01000000")
    assert data.count(indices) == 1
    data[data.index(indices) + 8] = 0
    _, board = decode(bytes(data))
    assert board.chips[1] == msgspec.structs.replace(board.chips[0], host_attached=False)


def test_differences_name_the_field_and_both_values() -> None:
    board = load_board("n300")
    chip = msgspec.structs.replace(
        board.chips[1], l1_size=1499000, grid=load_board("p150").chips[0].grid
    )
    other = msgspec.structs.replace(board, chips=(board.chips[0], chip), channels=())
    assert differences(board, other) == [
        "chips[1].grid: [8, 8] != [10, 11]",
        "chips[1].l1_size: 1499136 != 1499000",
        "channels: 1 entries != 0 entries",
    ]


def test_a_descriptor_cut_short_anywhere_is_refused() -> None:
    data = capture("n150")
    for length in range(len(data)):
        with pytest.raises(SystemDescError):
            decode(data[:length])


def test_a_descriptor_with_any_byte_flipped_reads_or_is_refused() -> None:
    data = capture("n300")
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        try:
            decode(bytes(damaged))
        except SystemDescError as error:
            assert str(error).endswith(".")


def test_something_else_is_not_a_descriptor() -> None:
    with pytest.raises(SystemDescError, match="not a Tenstorrent system descriptor"):
        decode(b"\x7fELF and so on and on")


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "n150.toml",
            "dram_unreserved_end = 1_073_118_784\n",
            "",
            "n150.toml, chips[0].dram_unreserved_end: is missing, also from arch/wormhole_b0.toml.",
        ),
        (
            "arch/wormhole_b0.toml",
            "num_cbs = 64",
            "# num_cbs = 64",
            "n150.toml, chips[0].num_cbs: is missing, also from arch/wormhole_b0.toml.",
        ),
        ("n150.toml", "channels = []\n", "", "n150.toml, channels: is missing."),
        (
            "n150.toml",
            "host_attached = true",
            'host_attached = "yes"',
            "n150.toml, chips[0].host_attached: Expected `bool`, got `str`.",
        ),
        (
            "arch/wormhole_b0.toml",
            "l1_size = 1_499_136",
            "l1_size = 1499136.5",
            "arch/wormhole_b0.toml, l1_size: Expected `int`, got `float`.",
        ),
        (
            "arch/wormhole_b0.toml",
            "num_cbs = 64",
            "num_cbs = -1",
            "arch/wormhole_b0.toml, num_cbs: Expected `int` >= 0.",
        ),
        (
            "n150.toml",
            "[7, 3]",
            "[7, 3, 1]",
            "n150.toml, chips[0].dram_bank_to_logical_worker_noc0[0]: "
            "Expected `array` of length 2, got 3.",
        ),
        (
            "n150.toml",
            "[7, 3], ",
            "",
            "n150.toml, chips[0].dram_bank_to_logical_worker_noc0: 11 banks, but dram_grid has 12.",
        ),
        (
            "n150.toml",
            "host_attached",
            "hostattached",
            "n150.toml, chips[0].hostattached: is not a field we know.",
        ),
        (
            "arch/wormhole_b0.toml",
            "num_cbs",
            "num_cb",
            "arch/wormhole_b0.toml, num_cb: is not a field we know.",
        ),
        (
            "n150.toml",
            "[[chips]]",
            'product = "n150"\n[[chips]]',
            "n150.toml, product: is not a field we know.",
        ),
        (
            "n150.toml",
            "[[chips]]",
            '[[chips]]\narch = "blackhole"',
            "n150.toml, chips[0].arch: belongs to the board, not to a chip.",
        ),
        (
            "n150.toml",
            'arch = "wormhole_b0"',
            'arch = "grayskull"',
            "n150.toml, arch: Invalid enum value 'grayskull'.",
        ),
        (
            "n150.toml",
            "channels = []",
            "channels = [[[0, 9, 0], [1, 1, 0]]]",
            "n150.toml, channels[0]: chip 1 is not among the 1.",
        ),
        (
            "arch/wormhole_b0.toml",
            "num_cbs = 64",
            "num_cbs = ",
            "arch/wormhole_b0.toml is not TOML: Invalid value (at line",
        ),
    ],
)
def test_a_malformed_chip_file_is_one_sentence(
    chips: Path, file: str, old: str, new: str, sentence: str
) -> None:
    spoil(chips / file, old, new)
    with pytest.raises(SystemDescError) as refusal:
        load_board("n150", chips)
    message = str(refusal.value)
    assert message.startswith(sentence)
    assert message.endswith(".")
    assert "\n" not in message


def test_a_missing_arch_file_is_one_sentence(chips: Path) -> None:
    (chips / "arch" / "blackhole.toml").unlink()
    with pytest.raises(SystemDescError, match=r"^The chip file arch/blackhole\.toml is missing\.$"):
        load_board("p150", chips)


@pytest.mark.parametrize("name", ["n151", "", "../chips/n150", "schema_hashes"])
def test_an_unknown_board_names_those_there_are(name: str) -> None:
    with pytest.raises(SystemDescError, match="there are n150, n300, n300-llmbox, p150"):
        load_board(name)


def test_a_known_plugin_version_has_a_hash() -> None:
    digest = schema_hash_for("jax-tt-plugin", "0.1.3")
    assert len(bytes.fromhex(digest)) == 32


def test_an_unknown_plugin_version_names_those_we_have() -> None:
    with pytest.raises(SystemDescError) as refusal:
        schema_hash_for("jax-tt-plugin", "9.9.9")
    assert str(refusal.value) == (
        "No system descriptor can be made for jax-tt-plugin 9.9.9: we have the schema hash of "
        "0.1.3; schema_hashes.toml says how to add one."
    )


def test_an_unknown_plugin_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "n150.ttsys"
    with pytest.raises(SystemDescError, match=r"some-plugin 1\.0: .* no version of it"):
        write_descriptor("n150", path, "some-plugin", "1.0")
    assert not path.exists()


def test_a_written_descriptor_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "p150.ttsys"
    write_descriptor("p150", path, "jax-tt-plugin", "0.1.3")
    header, board = decode(path.read_bytes())
    assert header.schema_hash == schema_hash_for("jax-tt-plugin", "0.1.3")
    assert board == load_board("p150")
