# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Inputs of a model nobody wrote a test for: as somebody asked for them, else as it declares them.

Numbers are drawn from a fixed seed. What is not a matter of taste goes by the input's name: a mask
is all ones, token types are zeros, positions count.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bringup.harness.dense import DenseError, from_numpy
from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.storage.writable import writable

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
_SPEC = re.compile(r"(?:(?P<name>[^=]+)=)?(?P<shape>\d{1,9}(?:x\d{1,9})*)?(?::(?P<dtype>\w+))?")
_FILES = (".npy", ".npz", ".pt")
_SHOWN = 80
"""Characters of what was asked for that a sentence has room for."""
_SMALL = 10
"""Whole numbers are below it: what they index, if they do, is likely to be larger."""
_MOST = 2**31
"""Elements of one input; more is a slip of the hand."""


@dataclass(frozen=True)
class InputSpec:
    """One input, as `--input` says it."""

    name: str = ""
    """Empty: the next one in the model's order."""
    shape: tuple[int, ...] | None = None
    dtype: torch.dtype | None = None
    """None: as the model declares it, else float32."""
    file: Path | None = None
    """A `.npy`, a `.npz` of several by name, or a tensor or mapping that torch saved."""


def parse_input(text: str) -> InputSpec:
    """Read `[NAME=]1x3x224x224[:f32]` or `[NAME=]FILE.npy`.

    Raises:
        UsageError: it is neither, of an unknown dtype or too large, or there is no such file.
    """
    name, equals, rest = text.rpartition("=")
    path = Path(rest)
    if path.suffix in _FILES:
        if not path.is_file():
            raise UsageError(f"--input {_shown(text)}: there is no file {_shown(rest)}")
        return InputSpec(name, file=path.absolute())
    match = _SPEC.fullmatch(text)
    if not match or not (match["shape"] or match["dtype"]) or (equals and not name):
        raise UsageError(
            f"--input {_shown(text)}: expected [NAME=]SHAPE[:DTYPE] such as 1x3x224x224 or "
            "ids=1x32:i64, or a .npy, .npz or .pt file"
        )
    dtype = match["dtype"]
    if dtype and dtype not in DTYPES:
        known = ", ".join(DTYPES)
        meant = hint(dtype, DTYPES)
        raise UsageError(f"--input {_shown(text)}: no dtype {dtype!r}{meant}; known are {known}")
    shape = tuple(map(int, match["shape"].split("x"))) if match["shape"] else None
    if shape and torch.Size(shape).numel() > _MOST:
        raise UsageError(f"--input {_shown(text)}: more than {_MOST} elements")
    return InputSpec(match["name"] or "", shape, DTYPES[dtype] if dtype else None)


def read_specs(texts: tuple[str, ...]) -> list[InputSpec]:
    """Read several, none of them twice.

    Raises:
        UsageError: one cannot be read, or an input is named twice.
    """
    specs = [parse_input(text) for text in texts]
    names = [spec.name for spec in specs if spec.name]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"--input names {_shown(twice[0])} twice")
    return specs


def value_of(
    spec: InputSpec, name: str, shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0
) -> torch.Tensor:
    """The value of an input that is called `name`; shape and dtype hold where `spec` has none."""
    if spec.file is not None:
        return _read(spec.file, name)
    return drawn(name, shape if spec.shape is None else spec.shape, spec.dtype or dtype, seed)


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
        said = writable(str(error)).splitlines() or [type(error).__name__]
        raise UsageError(f"{file} cannot be read as an input: {said[0][:_SHOWN]}") from error
    except Exception as error:  # pickle and zip have exceptions of their own
        raise UsageError(f"{file} cannot be read as an input: it is damaged") from error


def _shown(text: str) -> str:
    return repr(writable(text)[:_SHOWN])
