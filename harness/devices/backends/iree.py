# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""IREE on the CPU: an optional device whose compiler has named phases of its own.

Its flags are its kind's (`kinds.iree`). One must not be passed: any `--iree-opt-level` breaks
models with large temporaries.
"""

import re
import tempfile
from collections.abc import Sequence
from ctypes import c_char_p, c_void_p
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np

from bringup.harness.devices.backend import Array, CompileError, Opening
from bringup.harness.devices.wire import Level
from bringup.harness.errors import DeviceError

KEPT_PHASES = ("input", "global-optimization", "dispatch-creation", "flow", "stream", "vm")
"""Phases whose IR is kept. The executable phases print every weight-sized constant again."""

_FOLDER = "bringup-iree-"
_PHASE_FILE = re.compile(r".*?\.\d+\.(?P<phase>[a-z-]+)\.mlir")


class IreeBackend:
    """IREE's llvm-cpu target, compiled by its C API and run by its VM."""

    def __init__(self, flags: Sequence[str]) -> None:
        """`flags` go to every compilation, before a request's own."""
        self._flags = flags

    def open(self) -> Opening:
        """Load compiler and runtime."""
        if not (_present("iree.compiler") and _present("iree.runtime")):
            raise DeviceError("IREE is not installed; pip install 'bringup[iree]' brings it")
        import iree.runtime

        self._config = iree.runtime.Config("local-task")
        return Opening(
            platform=f"IREE {metadata.version('iree-base-compiler')}",
            kind="llvm-cpu",
            count=1,
            executes=True,
        )

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile in one invocation that writes each phase's IR as it passes it."""
        from iree.compiler.api import Invocation, Output, Session, Source, ctypes_dl

        with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder, Session() as session:
            flags = [f"--{name}={value}" for name, value in options.items()]
            session.set_flags(*self._flags, "--iree-input-type=stablehlo", *flags)
            invocation = Invocation(session)
            invocation.enable_console_diagnostics()
            dump = ctypes_dl._dylib.ireeCompilerInvocationSetDumpCompilationPhasesTo
            dump.argtypes, dump.restype = [c_void_p, c_char_p, c_char_p], None
            source = Source.wrap_buffer(session, stablehlo)
            dump(invocation._inv_p, folder.encode(), b"program")
            done = invocation.parse_source(source) and invocation.execute()
            levels = read_phases(Path(folder))
            if not done:
                raise CompileError("IREE could not compile the program", levels)
            with Output.open_membuffer() as output:
                invocation.output_vm_bytecode(output)
                return self._load(bytes(output.map_memory())), levels

    def _load(self, binary: bytes) -> tuple[Any, bytes]:
        import iree.runtime

        module = iree.runtime.VmModule.copy_buffer(self._config.vm_instance, binary)
        return iree.runtime.load_vm_module(module, self._config), binary

    def run(self, executable: Any, inputs: Sequence[Array]) -> list[Array]:
        """Call `main` (not `main$async`)."""
        results = executable[0]["main"](*inputs)
        if results is None:  # of a program without outputs
            return []
        results = results if isinstance(results, list | tuple) else (results,)
        return [np.asarray(result.to_host()) for result in results]

    def serialize(self, executable: Any) -> bytes:
        """The vmfb."""
        return bytes(executable[1])


def read_phases(folder: Path) -> tuple[Level, ...]:
    """The kept phases among the files IREE dumped, in order."""
    levels = []
    for path in sorted(folder.glob("*.mlir"), key=_phase_order):
        match = _PHASE_FILE.fullmatch(path.name)
        if match and match["phase"] in KEPT_PHASES:
            levels.append(Level(match["phase"], path.read_text(errors="replace")))
    return tuple(levels)


def levels_left(scratch: Path) -> tuple[Level, ...]:
    """The phases that a compilation had passed when its host was stopped."""
    folders = sorted(scratch.glob(f"{_FOLDER}*"))
    return tuple(level for folder in folders for level in read_phases(folder))


def _phase_order(path: Path) -> int:
    return int(path.name.split(".")[-3]) if path.name.split(".")[-3].isdigit() else 0


def _present(module: str) -> bool:
    try:
        return util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
