# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The whole contract of a device, as it is seen inside a device host.

A backend is made by name, opened once, and then asked to compile and run any number of programs,
one request at a time. It lowers StableHLO to its own levels on the way (`Level.name` says which)
and hands over every level it reached, also when it fails. It may crash or hang: its host is a
process of its own. It must not answer with results it did not compute: a backend that cannot
execute says so in `Opening.executes` and `run` is never called.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt

from bringup.harness.devices.wire import Analysis, Level, Placed

Array = npt.NDArray[Any]


class Opening(msgspec.Struct, frozen=True):
    """What a backend found when it opened its device."""

    platform: str
    kind: str
    count: int
    executes: bool
    stablehlo_version: str = ""
    note: str = ""
    chips: int = 0
    """How many a program may run on, virtual ones too; 0: `count`."""


class CompileError(Exception):
    """The device's compiler refused the program; carries the levels it reached."""

    def __init__(self, message: str, levels: Sequence[Level] = ()) -> None:
        super().__init__(message)
        self.levels = tuple(levels)


class DoesNotFit(CompileError):
    """The compiler refused, since the program needs more memory than its device has."""


class Backend(Protocol):
    """One device inside its host."""

    def open(self) -> Opening:
        """Open the device.

        Raises:
            DeviceError: absent or unusable, in one sentence.
        """

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile a portable artifact; the executable, and the IR of each level.

        Raises:
            CompileError: with the compiler's own diagnostic.
        """

    def run(self, executable: Any, inputs: Sequence[Array]) -> list[Array]:
        """Run on host arrays (any shape and dtype the program declares) and fetch the outputs."""

    def serialize(self, executable: Any) -> bytes:
        """The binary as the device's tools take it."""


@runtime_checkable
class PlacingBackend(Protocol):
    """A backend whose device may have several chips."""

    def compile_placed(
        self, stablehlo: bytes, options: dict[str, str], placed: Placed
    ) -> tuple[Any, tuple[Level, ...]]:
        """As `Backend.compile`, for other chips than the first, or for several.

        Raises:
            CompileError: there are fewer, or the compiler refuses.
        """


@runtime_checkable
class LoadingBackend(Protocol):
    """A backend that may be given what it serialised in another process of the same machine."""

    def load_binary(self, binary: bytes) -> Any:
        """The executable again; whatever it raises, the program has to be compiled."""


@runtime_checkable
class AnalysingBackend(Protocol):
    """A backend whose compiler says what a program takes."""

    def analysis(self, executable: Any) -> Analysis:
        """What the compiler says of a program; what it does not say is None."""


def dtype_of(name: str) -> np.dtype[Any]:
    """The numpy dtype of a wire name, ml_dtypes' included."""
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        scalar: type = getattr(ml_dtypes, name)
        return np.dtype(scalar)
