# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A reproducer's directory: what is written comes back, nothing half is left, and it is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bringup.harness.errors import RecordError, UsageError
from bringup.harness.records.reproducible import folder_name
from bringup.harness.records.schema import Outcome
from bringup.harness.reduce.run_op import reproduce
from bringup.harness.reproduce.lookup import find
from bringup.harness.reproduce.random_operands import DRAWN_ABOVE
from bringup.harness.reproduce.reproducer import (
    EXPECTED,
    read_bytes_of,
    read_expected,
    write_bytes_of,
)
from tests.integration.made_reproducers import KEY, RELU, placeholder, write

ROOT = Path(__file__).parents[3]
TENSORS = [
    torch.tensor([1.5, -2.0, 3e38, float("nan")], dtype=torch.bfloat16),
    torch.tensor([1.5, float("inf"), 6e-8], dtype=torch.float16),
    torch.randn(2, 3, dtype=torch.float64).T,
    torch.tensor([True, False, True]),
    torch.tensor([-(2**63), 2**53 + 1]),
    torch.tensor([1 + 2j, -3.5j]).conj(),
    torch.tensor([1.0, -2.0]).to(torch.float8_e4m3fn),
    torch.tensor([1, 65535], dtype=torch.uint16),
    torch.tensor(3.25),
    torch.empty(0, 4),
    torch.ones(3).expand(2, 3),
]


def test_tensors_of_every_dtype_come_back_bit_for_bit(tmp_path: Path) -> None:
    write_bytes_of(tmp_path, "inputs", TENSORS)
    back = read_bytes_of(tmp_path, "inputs")
    for one, other in zip(TENSORS, back, strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        plain = one.resolve_conj().contiguous().reshape(-1).view(torch.uint8)
        assert plain.tolist() == other.reshape(-1).view(torch.uint8).tolist()


@pytest.mark.parametrize(
    "damage",
    ['[{"dtype":"float32","shape":[99],"offset":0}]', '[{"dtype":"x","shape":[],"offset":0}]', "{"],
)
def test_damaged_tensors_are_one_sentence(tmp_path: Path, damage: str) -> None:
    write_bytes_of(tmp_path, "inputs", [torch.ones(4)])
    (tmp_path / "inputs.json").write_text(damage)
    with pytest.raises(RecordError, match="do not hold tensors"):
        read_bytes_of(tmp_path, "inputs")


def test_tensors_that_no_device_takes_are_left_out(tmp_path: Path) -> None:
    strange = torch.ones(2).to(torch.float8_e8m0fnu)
    verdict = placeholder("aten.x", "cpu", Outcome.FAILED)
    folder = write(tmp_path, verdict, torch_ir=RELU, inputs=[strange], golden=[torch.ones(2)])
    assert read_bytes_of(folder, "inputs") == read_bytes_of(folder, "golden") == []
    assert reproduce(folder, read_expected(folder)).outcome is Outcome.REACHED


@pytest.mark.parametrize("fx_json", [b"", b"{}"])
def test_a_large_golden_of_a_part_is_kept_only_where_nobody_computes_it(
    tmp_path: Path, fx_json: bytes
) -> None:
    golden = torch.ones(DRAWN_ABOVE // 4 + 1)
    verdict = placeholder("aten.x", "cpu", Outcome.INCORRECT)
    parts = {"torch_ir": RELU, "golden": [golden], "fx_json": fx_json}
    folder = write(tmp_path, verdict, keep_inputs=True, **parts)  # type: ignore[arg-type]
    assert len(read_bytes_of(folder, "golden")) == (not fx_json)
    folder = write(tmp_path, verdict, **parts)  # type: ignore[arg-type]
    assert read_bytes_of(folder, "golden") == [], "of an op alone it never is"


def test_nothing_half_is_left_when_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:  # a full disk, at the last file
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bringup.harness.reproduce.reproducer._take_place", full)
    with pytest.raises(RecordError, match="No space left"):
        write(tmp_path, placeholder("aten.x", "cpu", Outcome.FAILED), torch_ir=RELU)
    assert list((tmp_path / "repro").iterdir()) == []


def test_a_newer_one_takes_the_place_of_an_older(tmp_path: Path) -> None:
    for outcome in (Outcome.FAILED, Outcome.INCORRECT):
        folder = write(tmp_path, placeholder("aten.x", "cpu", outcome), torch_ir=RELU)
    assert read_expected(folder).outcome is Outcome.INCORRECT
    assert [p.name for p in (tmp_path / "repro").iterdir()] == [folder_name(KEY, "cpu")]


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 99}'])
def test_a_record_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / EXPECTED).write_text(text)
    with pytest.raises(RecordError, match=r"schema 99|not a reproducer's record"):
        read_expected(tmp_path)


# --- finding it -----------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for age, (run, key, device) in enumerate(
        [
            ("new", KEY, "cpu"),
            ("old", KEY, "cpu"),
            ("old", "f" * 64, "cpu"),
            ("old", "f" * 64, "n150"),
        ]
    ):
        folder = write(tmp_path / run, placeholder("aten.x", device, Outcome.FAILED, key))
        os.utime(folder / EXPECTED, (1e9 - age, 1e9 - age))
    return tmp_path


@pytest.mark.parametrize(
    "which", ["0123", KEY[:16], KEY, f"{KEY[:16]}-cpu", "0123-cpu", f"{KEY}-cpu"]
)
def test_the_newest_of_a_key_is_found(results: Path, which: str) -> None:
    name = f"{KEY[:16]}-cpu"
    found = find(which, results)
    assert found.folder == results / "new" / "repro" / name
    assert found.older == (results / "old" / "repro" / name,)
    assert find(which, results / "old").folder == found.older[0], "a run directory may be named"


def test_a_directory_is_taken_as_it_is(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = results / "old" / "repro" / f"{KEY[:16]}-cpu"
    assert find(str(folder), Path("nowhere")).folder == folder
    monkeypatch.chdir(folder)
    assert find(".", Path("nowhere"), "cpu").folder.samefile(folder)
    with pytest.raises(UsageError, match="is of cpu, not of n150"):
        find(".", Path("nowhere"), "n150")
    with pytest.raises(UsageError, match=r"it has no expected\.json"):
        find(f"{results}/old", results)


def test_a_key_on_two_devices_is_to_be_named_with_its_device(results: Path) -> None:
    with pytest.raises(UsageError, match=r"2 devices; add --device, .* f+-cpu, f+-n150$"):
        find("ffff", results)
    for found in (find("ffff", results, "n150"), find("f" * 16 + "-n150", results)):
        assert found.folder == results / "old" / "repro" / f"{'f' * 16}-n150"


def test_another_devices_reproducer_is_never_taken_instead(results: Path) -> None:
    for which, device in ((f"{KEY[:16]}-n150", None), (f"{KEY}-n150", None), (KEY, "n150")):
        with pytest.raises(UsageError, match=f"did you mean {KEY[:16]}-cpu"):
            find(which, results, device)
    for which in (f"{KEY[:16]}-cp", f"{KEY[:16]}-cpu-more", f"{KEY[:16]}xyz"):
        with pytest.raises(UsageError, match="there is no reproducer"):
            find(which, results)


@pytest.mark.parametrize(
    ("which", "hint"),
    [
        ("0123456789abcdee", "did you mean 0123456789abcdef-cpu"),
        ("zzz", r"there are 3 of .*named by its path, RUN/repro/KEY-DEVICE, .* --results RUN"),
        ("", "there are 3 of"),
    ],
)
def test_an_unknown_key_gets_a_hint(results: Path, which: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        find(which, results)


def test_the_command_says_it_in_one_line_and_exits_with_2(results: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.repro", "zzz", "--results", str(results)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
