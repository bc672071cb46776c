# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tensors as plain memory, in which the bytes say everything.

A tensor says more than its bytes do: that they are to be conjugated or negated, in what order they
lie, that many elements are one, that only some are there, by what they are scaled. Whatever leaves
as bytes, to a device, a file, numpy or a digest, goes through here first.
"""

from typing import Any

import ml_dtypes
import numpy as np
import torch

from bringup.harness.errors import HarnessError

Array = np.ndarray[Any, Any]
_PACKED = torch.float4_e2m1fn_x2
"""Two values to a byte, and torch has no conversion out of it."""


class DenseError(HarnessError):
    """A tensor or an array whose values cannot be had as plain memory."""


def strided(tensor: torch.Tensor) -> torch.Tensor:
    """The same values as a strided tensor, detached, of its real dtype and without lazy bits.

    Sparse tensors are filled up, quantised ones dequantised. Of a plain tensor it is a view.

    Raises:
        DenseError: it has no values (the meta device), is ragged, or has packed ones.
    """
    if tensor.is_nested:
        raise DenseError("a nested tensor is ragged; give its parts")
    if tensor.is_meta:
        raise DenseError("a tensor on the meta device has no values")
    if tensor.dtype is _PACKED:
        raise DenseError(f"a tensor of {tensor.dtype} has two values to a byte")
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.resolve_conj().resolve_neg()
    return tensor.view(torch.uint8) != 0 if _has_odd_bools(tensor) else tensor


def _has_odd_bools(tensor: torch.Tensor) -> bool:
    """Are there bools of another byte than 0 and 1? C++ reads them as it likes."""
    if tensor.dtype is not torch.bool or tensor.numel() == 0:
        return False
    return bool(tensor.view(torch.uint8).max() > 1)


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """The same values contiguous in CPU memory; the same tensor where they are that already.

    Raises:
        DenseError: as `strided` says.
    """
    return strided(tensor).cpu().contiguous()


def bytes_of(tensor: torch.Tensor) -> memoryview:
    """The memory of a tensor that is `dense`; of a copy if it is not.

    Raises:
        DenseError: as `strided` says.
    """
    return as_bytes(dense(tensor)).numpy().data


def as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    """The memory of a strided tensor as a vector of bytes; of a copy if it is not contiguous.

    One that has a single element is contiguous by whatever strides, which no view of bytes takes.
    """
    whole = tensor.contiguous()
    return whole.as_strided((whole.numel(),), (1,)).view(torch.uint8)


def from_bytes(content: bytes, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
    """A tensor of its own that has the memory that `as_bytes` gave of one of that shape and dtype.

    Raises:
        AttributeError, ValueError: there is no such dtype, or it has another number of bytes.
    """
    value = torch.empty(shape, dtype=getattr(torch, dtype))
    if value.nbytes != len(content):
        raise ValueError(f"{len(content)} bytes, and not {value.nbytes}")
    if content:
        whole = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        value = whole.view(value.dtype).reshape(shape)
    return value


def to_numpy(tensor: torch.Tensor) -> Array:
    """The same values as an array; bfloat16 and float8 by the types of ml_dtypes.

    Raises:
        DenseError: as `strided` says, or numpy has no such type.
    """
    plain = dense(tensor)
    try:
        return plain.numpy()
    except TypeError:
        pass
    kind = getattr(ml_dtypes, str(plain.dtype).removeprefix("torch."), None)
    if kind is None:
        raise DenseError(f"numpy has no type for {plain.dtype}")
    bits = {1: torch.uint8, 2: torch.uint16}[plain.element_size()]
    return plain.view(bits).numpy().view(kind)


def from_numpy(array: Array) -> torch.Tensor:
    """The same values as a tensor, of the same memory where torch can read that.

    Raises:
        DenseError: torch has no such type, or part of the array is masked.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise DenseError("a part of the array is masked")
    # torch wants native byte order, positive strides and memory it may write to.
    array = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])
    try:
        return torch.from_numpy(array)
    except TypeError:
        pass
    # ml_dtypes' floats are unknown to torch by type, but the bits are the same.
    dtype = getattr(torch, array.dtype.name, None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        bits = np.dtype(f"u{array.dtype.itemsize}")
        return torch.from_numpy(array.view(bits)).view(dtype)
    raise DenseError(f"torch has no type for an array of {array.dtype}")
