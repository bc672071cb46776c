# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `--input` takes: shapes, dtypes, names and files; anything else is one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.errors import UsageError
from bringup.harness.given.input_spec import DTYPES, drawn, value_of
from bringup.harness.options import input_text
from bringup.harness.options.input_text import InputSpec, parse_input, read_specs


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("1x3x224x224", InputSpec("", (1, 3, 224, 224))),
        ("7", InputSpec("", (7,))),
        ("ids=1x32:i64", InputSpec("ids", (1, 32), "i64")),
        ("x=:bf16", InputSpec("x", None, "bf16")),
        ("a/b:0=0x4", InputSpec("a/b:0", (0, 4))),
    ],
)
def test_shapes_names_and_dtypes_are_read(text: str, spec: InputSpec) -> None:
    assert parse_input(text) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected [NAME=]SHAPE"),
        ("1x-3", "expected [NAME=]SHAPE"),
        ("=1x3", "expected [NAME=]SHAPE"),
        ("1x3:fp32", "no dtype 'fp32'; did you mean f32"),
        ("99999x99999x99", "more than"),
        ("x=absent.npy", "there is no file 'absent.npy'"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_text_that_was_given(text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_input(text)
    assert said in str(error.value) and repr(text) in str(error.value)


def test_a_name_that_is_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="names 'x' twice"):
        read_specs(("x=1x2", "x=1x3"))


@given(st.text(max_size=20))
def test_any_text_is_a_spec_or_one_sentence(text: str) -> None:
    try:
        assert isinstance(parse_input(text), InputSpec)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1


def test_values_are_drawn_as_their_names_ask_and_always_the_same() -> None:
    assert drawn("attention_mask", (2, 3), torch.int64).tolist() == [[1] * 3] * 2
    assert not drawn("token_type_ids", (2, 3), torch.int64).any()
    assert drawn("position_ids", (2, 3), torch.int64).tolist() == [[0, 1, 2]] * 2
    ids = drawn("input_ids", (4, 64), torch.int32)
    assert ids.dtype is torch.int32 and 0 <= ids.min() < ids.max() < 10
    assert torch.equal(drawn("x", (5,), torch.bfloat16), drawn("x", (5,), torch.bfloat16))
    assert not torch.equal(drawn("x", (5,), torch.float32), drawn("x", (5,), torch.float32, 1))


def test_files_are_inputs(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "b.npz", x=array + 1)
    torch.save({"x": torch.ones(2)}, tmp_path / "c.pt")
    asked = {"a.npy": array, "b.npz": array + 1, "c.pt": np.ones(2)}
    for name, wanted in asked.items():
        spec = parse_input(f"x={tmp_path / name}")
        assert np.array_equal(value_of(spec, "x", (), torch.float32).numpy(), wanted)


@pytest.mark.parametrize("suffix", ["npy", "npz", "pt"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04torn", b"\x93NUMPY\x01\x00\x02"])
def test_damaged_files_are_one_sentence(tmp_path: Path, suffix: str, data: bytes) -> None:
    file = tmp_path / f"x.{suffix}"
    file.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read as an input") as error:
        value_of(InputSpec("x", file=file), "x", (), torch.float32)
    assert len(str(error.value).splitlines()) == 1


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path(tmp_path / "ran").touch, ())

    for name in ("x.npy", "x.pt"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil()))
        with pytest.raises(UsageError):
            value_of(InputSpec("x", file=tmp_path / name), "x", (), torch.float32)
    assert not (tmp_path / "ran").exists()


def test_every_dtype_that_is_taken_is_one() -> None:
    assert tuple(DTYPES) == input_text.DTYPES
    value = value_of(parse_input("x=2:bf16"), "x", (), torch.float32)
    assert value.dtype is torch.bfloat16
