# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Faults on purpose: what a device host does to itself on chosen ops, so that isolation is tested.

`BRINGUP_FAULTS=FILE` names a JSON object from op keys to `Fault`s. A host strikes when the op of
that key has passed the fault's stage, and first writes a line (seconds since the epoch, key, kind)
to `FILE.struck`. Nothing is acted: the host dereferences null, aborts, allocates up to its limit,
waits on a lock that nobody frees or floods its standard output. Or it gives other results than the
device computed (`WrongResult`), as a compiler at fault does; that is written down where at least
one value is another one. Without the variable nothing here runs. For tests and benchmarks.
"""

import ctypes
import enum
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
import numpy as np

from bringup.harness.devices.backend import Array
from bringup.harness.errors import RecordError, UsageError
from bringup.harness.records.schema import Stage
from bringup.harness.records.variable_names import FAULTS_VARIABLE
from bringup.harness.storage.decoding import decode_json, read_bytes

_CHUNK = 256 << 20
_FLOOD = 4 << 20


class FaultKind(enum.StrEnum):
    """What a host can do to itself."""

    SEGV = "segv"
    ABORT = "abort"
    OUT_OF_MEMORY = "out of memory"
    HANG = "hang"
    GARBAGE = "garbage"
    """4 MiB of noise on standard output and error; the op goes on."""
    FLOOD = "flood"
    """Noise on standard output without end."""
    ESCAPE = "escape"
    """Die, leaving a process in a session of its own that holds all the host's descriptors."""


class WrongResult(enum.StrEnum):
    """What a host can make of an op's results. Those of numbers leave booleans as they are."""

    NEGATE = "negate"
    ROLL = "roll"
    """By one along the longest axis."""
    ZERO = "zero"
    LAST_ROW = "last row"
    """Zero in the last row only."""
    FOUR_PERCENT = "x1.04"
    """Of floats."""
    DOUBLE = "x2"


class Fault(msgspec.Struct, frozen=True):
    """One op's fault."""

    kind: FaultKind | None = None
    stage: Stage = Stage.STABLEHLO
    """Strike after this stage; after STABLEHLO is in the device's compiler."""
    result: WrongResult | None = None
    """What its results are made into, if it gets as far as that."""


class Faults:
    """The faults a host is to do itself."""

    def __init__(self, path: Path, by_key: dict[str, Fault]) -> None:
        self._path = path
        self._by_key = by_key

    def strike(self, key: str, passed: Stage) -> None:
        """Do the fault of an op that has just passed a stage, if it has one."""
        fault = self._by_key.get(key)
        if fault is None or fault.kind is None or fault.stage is not passed:
            return
        self._note(key, fault.kind)
        _DOINGS[fault.kind]()

    def spoil(self, key: str, outputs: Sequence[Array]) -> list[Array]:
        """An op's results, wrong if that is its fault."""
        fault = self._by_key.get(key)
        if fault is None or fault.result is None:
            return list(outputs)
        given = [np.asarray(output) for output in outputs]
        spoiled = [_spoiled(output, fault.result) for output in given]
        if any(not _same(*pair) for pair in zip(given, spoiled, strict=True)):
            self._note(key, fault.result)
        return spoiled

    def _note(self, key: str, what: str) -> None:
        with Path(f"{self._path}.struck").open("a") as file:
            file.write(f"{time.time():.6f} {key} {what}\n")


def read_faults() -> Faults | None:
    """The faults the environment asks for; None in all normal use.

    Raises:
        UsageError: it names a file that is no plan of faults.
    """
    named = os.environ.get(FAULTS_VARIABLE)
    if not named:
        return None
    try:
        data = read_bytes(Path(named))
        by_key = decode_json(data, dict[str, Fault], named, "a plan of faults")
    except RecordError as error:
        raise UsageError(f"{FAULTS_VARIABLE}: {error}") from error
    return Faults(Path(named), by_key)


def _spoiled(output: Array, kind: WrongResult) -> Array:
    floats = output.dtype.kind in "fcV"  # V: those of `ml_dtypes`
    if not output.size or (output.dtype.kind == "b" and kind is not WrongResult.NEGATE):
        return np.roll(output, 1) if kind is WrongResult.ROLL else output
    if kind is WrongResult.NEGATE:
        return ~output if output.dtype.kind == "b" else (0 - output).astype(output.dtype)
    if kind is WrongResult.ROLL:
        return np.roll(output, 1, int(np.argmax(output.shape)) if output.ndim else None)
    if kind is WrongResult.ZERO:
        return np.zeros_like(output)
    if kind is WrongResult.LAST_ROW:
        spoiled = output.copy()
        spoiled.reshape(-1, output.shape[-1] if output.ndim else 1)[-1] = 0
        return spoiled
    if kind is WrongResult.DOUBLE:
        return (output + output).astype(output.dtype)
    if not floats:
        return output
    wide = np.complex128 if output.dtype.kind == "c" else np.float64
    return (output.astype(wide) * 1.04).astype(output.dtype)


def _same(one: Array, other: Array) -> bool:
    if one.dtype.kind not in "fcV":
        return bool(np.array_equal(one, other))
    wide = np.complex128 if one.dtype.kind == "c" else np.float64
    return bool(np.array_equal(one.astype(wide), other.astype(wide), equal_nan=True))


def _segv() -> None:
    ctypes.string_at(0)


def _exhaust() -> NoReturn:
    held = []
    while True:  # until the kernel refuses; pages that nobody touches cost the machine nothing
        held.append(np.empty(_CHUNK, np.uint8))


def _hang() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def _garbage() -> None:
    noise = os.urandom(1 << 16)
    for _ in range(_FLOOD // len(noise)):
        os.write(1, noise)
        os.write(2, noise)


def _flood() -> NoReturn:
    noise = os.urandom(1 << 16)
    while True:
        os.write(1, noise)


def _escape() -> NoReturn:
    if os.fork() == 0:
        os.setsid()
        subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], check=False)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError("a signal of one's own arrives at once")


_DOINGS = {
    FaultKind.SEGV: _segv,
    FaultKind.ABORT: os.abort,
    FaultKind.OUT_OF_MEMORY: _exhaust,
    FaultKind.HANG: _hang,
    FaultKind.GARBAGE: _garbage,
    FaultKind.FLOOD: _flood,
    FaultKind.ESCAPE: _escape,
}
