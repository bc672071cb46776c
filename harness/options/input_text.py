# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `--input` takes: an input's name, shape and dtype, or a file of it.

Read twice: when a command begins, so that a slip of the hand runs nothing, and by the test that the
command wrote.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.storage.writable import writable

DTYPES = ("f32", "f64", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool")
_SPEC = re.compile(r"(?:(?P<name>[^=]+)=)?(?P<shape>\d{1,9}(?:x\d{1,9})*)?(?::(?P<dtype>\w+))?")
_FILES = (".npy", ".npz", ".pt")
_SHOWN = 80
"""Characters of what was asked for that a sentence has room for."""
_MOST = 2**31
"""Elements of one input; more is a slip of the hand."""


@dataclass(frozen=True)
class InputSpec:
    """One input, as `--input` says it."""

    name: str = ""
    """Empty: the next one in the model's order."""
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    """Of `DTYPES`; empty: as the model declares it, else f32."""
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
    dtype = match["dtype"] or ""
    if dtype and dtype not in DTYPES:
        known = ", ".join(DTYPES)
        meant = hint(dtype, DTYPES)
        raise UsageError(f"--input {_shown(text)}: no dtype {dtype!r}{meant}; known are {known}")
    shape = tuple(map(int, match["shape"].split("x"))) if match["shape"] else None
    if shape and math.prod(shape) > _MOST:
        raise UsageError(f"--input {_shown(text)}: more than {_MOST} elements")
    return InputSpec(match["name"] or "", shape, dtype)


def read_specs(texts: Sequence[str]) -> list[InputSpec]:
    """Read several, none of them twice.

    Raises:
        UsageError: one cannot be read, or an input is named twice.
    """
    specs = [parse_input(text) for text in texts]
    names = [spec.name for spec in specs if spec.name]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"--input names {_shown(twice[0])} twice")
    return specs


def _shown(text: str) -> str:
    return repr(writable(text)[:_SHOWN])
