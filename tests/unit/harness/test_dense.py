# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tensors as plain memory: whatever a tensor says beside its bytes arrives with them."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch

from bringup.harness.dense import DenseError, bytes_of, from_numpy, to_numpy
from bringup.harness.devices.tensors import read_tensors, write_tensors
from bringup.harness.reproduce.reproducer import read_bytes_of, write_bytes_of

Z = torch.tensor([[1 + 2j, -3 + 4j], [5 - 6j, 0 - 1j]])
X = torch.arange(24.0).reshape(2, 3, 4)
SAME_VALUES = {
    "an imaginary part": (Z.imag, [[2, 4], [-6, -1]]),
    "one with the negative bit": (Z.conj().imag, [[-2, -4], [6, 1]]),
    "the conjugate bit": (Z.conj(), [[1 - 2j, -3 - 4j], [5 + 6j, 0 + 1j]]),
    "both, turned": (Z.mH, [[1 - 2j, 5 + 6j], [-3 - 4j, 1j]]),
    "expanded": (torch.ones(1, 2).expand(3, 2), [[1, 1]] * 3),
    "every second": (torch.arange(6.0)[::2], [0, 2, 4]),
    "one of many": (torch.arange(12.0).view(3, 4).t()[1:2, 2:3], [[9]]),
    "channels last": (
        X[None].to(memory_format=torch.channels_last),
        X[None].tolist(),
    ),
    "a parameter": (torch.nn.Parameter(torch.tensor([1.0, 2.0])), [1, 2]),
    "one with a gradient function": (torch.ones(2, requires_grad=True) * 2, [2, 2]),
    "sparse": (torch.eye(2).to_sparse(), [[1, 0], [0, 1]]),
    "compressed": (torch.eye(2).to_sparse_csr(), [[1, 0], [0, 1]]),
    "bools of odd bytes": (
        torch.tensor([0, 2, 1, 255], dtype=torch.uint8).view(torch.bool),
        [False, True, True, True],
    ),
    "a scalar": (torch.tensor(7), 7),
    "bfloat16": (torch.tensor([1.5], dtype=torch.bfloat16), [1.5]),
}
NAMES, CASES = list(SAME_VALUES), list(SAME_VALUES.values())


@pytest.mark.parametrize(("tensor", "values"), CASES, ids=NAMES)
def test_a_device_gets_the_values(tensor: torch.Tensor, values: object) -> None:
    (read,) = read_tensors(*write_tensors([tensor]))
    assert read.tolist() == values


def test_views_of_one_memory_that_say_different_things_are_different_tensors() -> None:
    views = [Z.imag, Z.conj().imag, Z.imag]
    specs, descriptor = write_tensors(views)
    assert specs[0] == specs[2] != specs[1]
    assert [t.tolist() for t in read_tensors(specs, descriptor)] == [v.tolist() for v in views]


@pytest.mark.parametrize(("tensor", "values"), CASES, ids=NAMES)
def test_a_reproducer_keeps_the_values(
    tmp_path: Path, tensor: torch.Tensor, values: object
) -> None:
    write_bytes_of(tmp_path, "inputs", [tensor])
    (read,) = read_bytes_of(tmp_path, "inputs")
    assert read.tolist() == values


@pytest.mark.parametrize(("tensor", "values"), CASES, ids=NAMES)
def test_numpy_gets_the_values(tensor: torch.Tensor, values: object) -> None:
    assert to_numpy(tensor).tolist() == values
    assert from_numpy(to_numpy(tensor)).tolist() == values


def test_quantised_tensors_are_dequantised() -> None:
    quantised = torch.quantize_per_tensor(torch.tensor([0.5, 1.0]), 0.5, 0, torch.qint8)
    (read,) = read_tensors(*write_tensors([quantised]))
    assert read.dtype is torch.float32 and read.tolist() == [0.5, 1.0]


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_floats_that_numpy_does_not_have_are_those_of_ml_dtypes(name: str) -> None:
    array = to_numpy(torch.tensor([0.5, 2.0]).to(getattr(torch, name)))
    assert array.dtype == getattr(ml_dtypes, name) and array.tolist() == [0.5, 2.0]
    assert from_numpy(array).dtype is getattr(torch, name)


def test_arrays_of_any_order_are_read() -> None:
    array = np.arange(6, dtype=">f4").reshape(2, 3)[::-1].T
    array.flags.writeable = False
    assert from_numpy(array).tolist() == array.tolist()


@pytest.mark.parametrize(
    ("tensor", "sentence"),
    [
        (torch.empty(2, device="meta"), "meta device has no values"),
        (torch.zeros(2, dtype=torch.complex32), "complex32 cannot be given to a device"),
        (torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]), "nested tensor is ragged"),
    ],
)
def test_what_has_no_plain_memory_is_refused(tensor: torch.Tensor, sentence: str) -> None:
    with pytest.raises(DenseError, match=sentence):
        write_tensors([tensor])


def test_a_dense_tensor_is_not_copied() -> None:
    tensor = torch.zeros(2)
    memory = bytes_of(tensor)
    tensor[0] = 1
    assert bytes(memory) == bytes(bytes_of(tensor))
