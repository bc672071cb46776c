# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the same test on another device already did in this process.

A model is loaded, exported and lowered once for all devices: export and decomposition take most
of a test's time, and nothing of them depends on the device. Only the last test is remembered, so
at most one model stays in memory, and only for the same test id, tester class and settings.
"""

import contextlib
import ctypes
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.config import CompileDepth, Setting
from harness.lowering import Program
from harness.records.schema import Stage, StageResult, Status

if TYPE_CHECKING:
    from harness.tester import ModelTester

FRONT_END = (
    Stage.LOAD,
    Stage.EXPORT,
    Stage.DECOMPOSE,
    Stage.TORCH_IR,
    Stage.TORCH_BACKEND_IR,
    Stage.STABLEHLO,
)
Key = tuple[object, ...]


@dataclass
class Kept:
    """A lowered model."""

    key: Key
    source: str
    model: Any
    inputs: Any
    golden: Any
    program: Program
    results: list[tuple[StageResult, Status]]


_last: Kept | None = None


def key_of(tester: "ModelTester") -> Key:
    """Equal keys mean: the same code would load and lower the same model again."""
    config = tester.compiler_config
    settings = tuple(
        (name, repr(getattr(config, name)))
        for name, setting in vars(type(config)).items()
        if isinstance(setting, Setting) and name != "compile_depth"
    )
    depth = config.compile_depth
    front_end = CompileDepth.EXECUTE if depth.compiles else depth
    identity = tester.recorder.identity
    owner = f"{type(tester).__module__}.{type(tester).__qualname__}"
    return (
        identity.name,
        tester.recorder.run.directory,
        owner,
        tester.model_name,
        front_end,
        settings,
    )


def take(key: Key) -> Kept | None:
    """The last test's work if it fits; anything else is dropped before the next model loads."""
    global _last
    if _last is not None and _last.key != key:
        _last = None
        _return_memory()
    return _last


def keep(key: Key, tester: "ModelTester", program: Program) -> None:
    """Remember a test's front-end work."""
    global _last
    results = [r for r in tester.recorder.results if r[0].stage in FRONT_END and r[0].ok]
    _last = Kept(
        key=key,
        source=tester.recorder.key,
        model=tester.framework_model,
        inputs=tester.inputs,
        golden=tester.golden,
        program=program,
        results=results,
    )


def add_golden(key: Key, golden: Any) -> None:
    """Remember the golden too, once somebody computed it."""
    if _last is not None and _last.key == key:
        _last.golden = golden


def _return_memory() -> None:
    """Give the dropped model's memory back to the system before the next one loads."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)
