# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Inputs of a model nobody wrote a test for: as somebody asked for them, else as it declares them.

Numbers are drawn from a fixed seed. What is not a matter of taste goes by the input's name: a mask
is all ones, token types are zeros, positions count.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from bringup.harness.dense import DenseError, from_numpy
from bringup.harness.errors import UsageError
from bringup.harness.options.input_text import InputSpec, read_specs
from bringup.harness.storage.writable import said_by

__all__ = ["DTYPES", "InputSpec", "drawn", "read_specs", "value_of"]

DTYPES = {
    "f32": torch.float32,
    "f64": torch.float64,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "i64": torch.int64,
    "i32": torch.int32,
    "i16": torch.int16,
    "i8": torch.int8,
    "u8": torch.uint8,
    "bool": torch.bool,
}
_SHOWN = 80
_SMALL = 10
"""Whole numbers are below it: what they index, if they do, is likely to be larger."""


def value_of(
    spec: InputSpec, name: str, shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0
) -> torch.Tensor:
    """The value of an input that is called `name`; shape and dtype hold where `spec` has none."""
    if spec.file is not None:
        return _read(spec.file, name)
    return drawn(
        name, shape if spec.shape is None else spec.shape, DTYPES.get(spec.dtype, dtype), seed
    )


def drawn(name: str, shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    """A tensor as an input of this name likely is, the same for the same arguments."""
    said = name.lower()
    if dtype is torch.bool or "mask" in said:
        return torch.ones(shape, dtype=dtype)
    if "token_type" in said or "segment" in said:
        return torch.zeros(shape, dtype=dtype)
    if "position" in said and not dtype.is_floating_point:
        return torch.arange(shape[-1] if shape else 1, dtype=dtype).expand(shape).contiguous()
    generator = torch.Generator().manual_seed(seed)
    if dtype.is_floating_point or dtype.is_complex:
        return torch.randn(shape, generator=generator).to(dtype)
    return torch.randint(_SMALL, shape, generator=generator).to(dtype)


def _read(file: Path, name: str) -> torch.Tensor:
    try:
        found: Any
        if file.suffix == ".pt":
            found = torch.load(file, map_location="cpu", weights_only=True)
        else:
            found = np.load(file, allow_pickle=False)
        if not isinstance(found, np.ndarray | torch.Tensor):
            found = found[name]
        return from_numpy(found) if isinstance(found, np.ndarray) else torch.as_tensor(found)
    except KeyError as error:
        raise UsageError(f"{file} has nothing called {name!r}") from error
    except (OSError, ValueError, TypeError, DenseError, RuntimeError, EOFError) as error:
        said = said_by(error).partition("\n")[0][:_SHOWN]
        raise UsageError(f"{file} cannot be read as an input: {said}") from error
    except Exception as error:  # pickle and zip have exceptions of their own
        raise UsageError(f"{file} cannot be read as an input: it is damaged") from error
