# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Torch tensors into and out of memory files."""

import math
import mmap
import os
from collections.abc import Callable, Sequence

import torch

from bringup.harness.dense import DenseError, bytes_of, strided
from bringup.harness.devices.wire import TensorSpec, create_memory, layout, read_at, write_at
from bringup.harness.errors import DeviceError
from bringup.harness.storage.decoding import UNDECODABLE, why_not

_SAME_NAME = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
)
WIRE_NAMES: dict[torch.dtype, str] = {getattr(torch, name): name for name in _SAME_NAME}
"""Torch dtype to the name numpy and ml_dtypes use."""

_TORCH_DTYPES = {name: dtype for dtype, name in WIRE_NAMES.items()}


def nbytes(shape: Sequence[int], dtype: str) -> int:
    """Bytes of a tensor of a shape and wire dtype; 1 stands for what is not known of either."""
    known = _TORCH_DTYPES.get(dtype)
    return math.prod(max(size, 1) for size in shape) * (known.itemsize if known else 1)


def write_tensors(
    tensors: Sequence[torch.Tensor], reserve: Callable[[int], int] = create_memory
) -> tuple[list[TensorSpec], int]:
    """Copy CPU tensors into a memory file; their specs and the file's descriptor.

    `reserve` gives a file of at least so many bytes. A tensor given several times (tied weights)
    is copied once.

    Raises:
        DenseError: one has no values as plain memory, or no dtype that a device could take.
    """
    unique: dict[tuple[object, ...], int] = {}
    chosen: list[torch.Tensor] = []
    places = []
    for tensor in tensors:
        key = _values_of(tensor)
        if key not in unique or tensor.numel() == 0:
            unique[key] = len(chosen)
            chosen.append(strided(tensor))
        places.append(unique[key])
    described = [(wire_name(t.dtype), tuple(t.shape), t.numel() * t.element_size()) for t in chosen]
    specs, size = layout(described)
    descriptor = reserve(size)
    for spec, tensor in zip(specs, chosen, strict=True):
        if spec.size:
            write_at(descriptor, bytes_of(tensor), spec.offset)
    return [specs[place] for place in places], descriptor


def wire_name(dtype: torch.dtype) -> str:
    """The name of a dtype.

    Raises:
        DenseError: no device takes it.
    """
    name = WIRE_NAMES.get(dtype)
    if name is None:
        raise DenseError(f"a tensor of {dtype} cannot be given to a device")
    return name


def _values_of(tensor: torch.Tensor) -> tuple[object, ...]:
    """Equal for tensors of equal values, as far as can be said without looking at them."""
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested:
        return (id(tensor),)
    bits = (tensor.is_conj(), tensor.is_neg())
    return (tensor.data_ptr(), tensor.shape, tensor.dtype, tensor.stride(), bits)


def read_tensors(specs: Sequence[TensorSpec], descriptor: int) -> list[torch.Tensor]:
    """Copy tensors out of a memory file and close its descriptor.

    Raises:
        DeviceError: it does not hold what is said of it.
    """
    try:
        return [_read(spec, descriptor) for spec in specs]
    except (EOFError, OSError, RuntimeError, *UNDECODABLE) as error:
        raise DeviceError(f"the device's answer holds no tensors: {why_not(error)}") from error
    finally:
        os.close(descriptor)


def view_tensors(specs: Sequence[TensorSpec], memory: mmap.mmap) -> list[torch.Tensor]:
    """The tensors of a memory file where they are."""
    return [_view(spec, memory) for spec in specs]


def _view(spec: TensorSpec, memory: mmap.mmap) -> torch.Tensor:
    dtype = _TORCH_DTYPES[spec.dtype]
    if not spec.size:
        return torch.empty(spec.shape, dtype=dtype)
    count = spec.size // dtype.itemsize
    return torch.frombuffer(memory, dtype=dtype, count=count, offset=spec.offset).view(spec.shape)


def _read(spec: TensorSpec, descriptor: int) -> torch.Tensor:
    tensor = torch.empty(spec.shape, dtype=_TORCH_DTYPES[spec.dtype])
    if spec.size:
        read_at(descriptor, tensor.reshape(-1).view(torch.uint8).numpy().data, spec.offset)
    return tensor
