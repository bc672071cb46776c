# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""IREE: an optional compiler with named phases of its own, for the CPU and for accelerators.

Its flags are its kind's (`kinds.iree`, `kinds.accelerators`). One must not be passed: any
`--iree-opt-level` breaks models with large temporaries.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from ctypes import CFUNCTYPE, c_char_p, c_int, c_size_t, c_void_p, string_at
from importlib import metadata, util
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bringup.harness.devices.backend import Array, CompileError, Opening
from bringup.harness.devices.backends.accelerator_file import Accelerator, IreeTarget, Route
from bringup.harness.devices.shared_libraries import libraries_of
from bringup.harness.devices.wire import Analysis, Level
from bringup.harness.errors import DeviceError

KEPT_PHASES = ("input", "global-optimization", "dispatch-creation", "flow", "stream", "vm")
"""Phases whose IR is kept. The executable phases print every weight-sized constant again."""
KERNELS = "executable-targets"
"""The phase after which every kernel is in the accelerator's own language; kept of those."""
KERNELS_LIMIT = 8 << 20
"""Bytes up to which it is."""

_FOLDER = "bringup-iree-"
_SEVERITIES = {0: "note", 1: "warning", 2: "error", 3: "remark"}
"""iree_compiler_diagnostic_severity_t (iree/compiler/embedding_api.h)."""
_PLACE = re.compile(r"^[^\s:]*:\d+:\d+: ")
_ANY = b"""func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = stablehlo.add %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}"""
"""A program that every target takes."""
_PHASE_FILE = re.compile(r".*?\.\d+\.(?P<phase>[a-z-]+)\.mlir")


class Compiled(NamedTuple):
    """A program."""

    loaded: Any
    """Ready to be called; None where it cannot run here."""
    binary: bytes
    """The vmfb."""
    analysis: Analysis


class _Diagnostics:
    """What the compiler says of one invocation: kept, and passed on to standard error."""

    def __init__(self, compiler: Any, invocation: Any) -> None:
        """Of the compiler's library, and a handle of its own."""
        self._texts: list[str] = []
        kind = CFUNCTYPE(None, c_int, c_void_p, c_size_t, c_void_p)
        self._callback = kind(self._take)  # kept as long as the invocation
        enable = compiler.ireeCompilerInvocationEnableCallbackDiagnostics
        enable.argtypes, enable.restype = [c_void_p, c_int, kind, c_void_p], None
        enable(invocation, 0, self._callback, None)

    def _take(self, severity: int, message: int, size: int, _: Any) -> None:
        text = string_at(message, size).decode("utf-8", "replace")
        print(f"{_SEVERITIES.get(severity, severity)}: {text}", file=sys.stderr, flush=True)
        if _SEVERITIES.get(severity) == "error":
            self._texts.append(text)

    def first(self) -> str:
        """The first line of the first error, without where in the program it was."""
        lines = (text.strip().partition("\n")[0] for text in self._texts)
        return _PLACE.sub("", next(filter(None, lines), ""))


class IreeBackend:
    """IREE's llvm-cpu target, compiled by its C API and run by its VM."""

    _phases: tuple[str, ...] = KEPT_PHASES
    _config: Any = None
    """Of the runtime; None where programs are not run."""

    def __init__(self, flags: Sequence[str]) -> None:
        """`flags` go to every compilation, before a request's own."""
        self._flags = flags

    def open(self) -> Opening:
        """Load compiler and runtime."""
        refuse_if_absent()
        import iree.runtime

        self._config = iree.runtime.Config("local-task")
        return Opening(platform=platform(), kind="llvm-cpu", count=1, executes=True)

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile in one invocation that writes each phase's IR as it passes it."""
        from iree.compiler.api import Invocation, Output, Session, Source, ctypes_dl

        with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder, Session() as session:
            statistics = Path(folder) / "statistics.json"
            flags = [f"--{name}={value}" for name, value in options.items()]
            session.set_flags(
                *self._flags,
                "--iree-input-type=stablehlo",
                "--iree-scheduling-dump-statistics-format=json",
                f"--iree-scheduling-dump-statistics-file={statistics}",
                *flags,
            )
            invocation = Invocation(session)
            said = _Diagnostics(ctypes_dl._dylib, invocation._inv_p)
            dump = ctypes_dl._dylib.ireeCompilerInvocationSetDumpCompilationPhasesTo
            dump.argtypes, dump.restype = [c_void_p, c_char_p, c_char_p], None
            source = Source.wrap_buffer(session, stablehlo)
            dump(invocation._inv_p, folder.encode(), b"program")
            done = invocation.parse_source(source) and invocation.execute()
            levels = read_phases(Path(folder), self._phases)
            if not done:
                raise CompileError(said.first() or "IREE could not compile the program", levels)
            with Output.open_membuffer() as output:
                invocation.output_vm_bytecode(output)
                binary = bytes(output.map_memory())
            analysis = read_statistics(statistics, len(binary))
            return Compiled(self._load(binary), binary, analysis), levels

    def _load(self, binary: bytes) -> Any:
        if self._config is None:
            return None
        import iree.runtime

        module = iree.runtime.VmModule.copy_buffer(self._config.vm_instance, binary)
        return iree.runtime.load_vm_module(module, self._config)

    def load_binary(self, binary: bytes) -> Compiled:
        """A vmfb as a program again."""
        return Compiled(self._load(binary), binary, Analysis())

    def run(self, executable: Compiled, inputs: Sequence[Array]) -> list[Array]:
        """Call `main` (not `main$async`)."""
        results = executable.loaded["main"](*inputs)
        if results is None:  # of a program without outputs
            return []
        results = results if isinstance(results, list | tuple) else (results,)
        return [np.asarray(result.to_host()) for result in results]

    def serialize(self, executable: Compiled) -> bytes:
        """The vmfb."""
        return executable.binary

    def analysis(self, executable: Compiled) -> Analysis:
        """What its scheduler allocates, and the size of the binary with all constants."""
        return executable.analysis


class IreeAccelerator(IreeBackend):
    """One of IREE's other targets: run where its driver finds the device, else compiled for only.

    The runtime's drivers are asked in this process, a host, since a sick one may end it.
    """

    _phases = (*KEPT_PHASES, KERNELS)
    _drivers: ClassVar = {
        Route.IREE_HIP: "hip",
        Route.IREE_CUDA: "cuda",
        Route.IREE_VULKAN: "vulkan",
        Route.IREE_METAL: "metal",
    }

    def __init__(self, found: Accelerator, flags: Sequence[str]) -> None:
        """An accelerator and the flags by which it is compiled for."""
        super().__init__(flags)
        assert isinstance(found.target, IreeTarget)
        self._found = found
        self._says, self._architecture = found.target.says, found.target.architecture
        self._driver = self._drivers[found.route]

    def open(self) -> Opening:
        """Load the compiler; the runtime too, if the device is in this machine."""
        refuse_if_absent()
        self._refuse_unknown_target()
        kind = self._architecture or self._driver
        devices = self._devices()
        ours = next((d for d in devices if self._says.casefold() in d["name"].casefold()), None)
        if ours is None:
            found = ", ".join(d["name"] for d in devices)
            note = f"this machine has {found}" if found else "no device"
            return Opening(platform(), kind, 1, executes=False, note=f"{note}: compiles only")
        import iree.runtime

        device = iree.runtime.get_driver(self._driver).create_device(ours["device_id"])
        self._config = iree.runtime.Config(device=device)
        return Opening(platform(), kind, 1, executes=True, note=ours["name"])

    def _refuse_unknown_target(self) -> None:
        """See that the compiler takes what a user's own file says; it knows by compiling alone."""
        if not self._found.own:
            return
        (program,) = libraries_of("iree.compiler", "_mlir_libs/iree-compile")
        flags = (*self._flags, "--iree-input-type=stablehlo", "-o", os.devnull, "-")
        done = subprocess.run([program, *flags], input=_ANY, capture_output=True, check=False)
        if done.returncode:  # a process of its own: of some targets unknown to it, it dies
            raise DeviceError(
                f"{self._found.file}: target.architecture: IREE does not compile for"
                f" {self._architecture!r} by {self._found.route}"
            )

    def _devices(self) -> list[dict[str, Any]]:
        """What the runtime's driver finds; none where it has no such driver or no library of it."""
        import iree.runtime

        try:
            return list(iree.runtime.get_driver(self._driver).query_available_devices())
        except (RuntimeError, ValueError, KeyError):
            return []


def platform() -> str:
    """The compiler and its version."""
    return f"IREE {metadata.version('iree-base-compiler')}"


def refuse_if_absent() -> None:
    """See that compiler and runtime are installed.

    Raises:
        DeviceError: they are not.
    """
    if not (_present("iree.compiler") and _present("iree.runtime")):
        raise DeviceError("IREE is not installed; pip install 'bringup[iree]' brings it")


def read_statistics(file: Path, binary: int) -> Analysis:
    """What the compiler's scheduler allocates while a program runs, of its own statistics."""
    try:
        execution = json.loads(file.read_bytes())["stream-aggregate"]["execution"]
        allocated = int(execution["transient-memory-size"])
    except (OSError, ValueError, LookupError, TypeError):  # it writes none of an empty program
        return Analysis(code=binary)
    return Analysis(allocated=allocated, code=binary)


def read_phases(folder: Path, kept: Sequence[str] = (*KEPT_PHASES, KERNELS)) -> tuple[Level, ...]:
    """The kept phases among the files IREE dumped, in order."""
    levels = []
    for path in sorted(folder.glob("*.mlir"), key=_phase_order):
        match = _PHASE_FILE.fullmatch(path.name)
        if match and match["phase"] in kept and not _too_large(path, match["phase"]):
            levels.append(Level(match["phase"], path.read_text(errors="replace")))
    return tuple(levels)


def levels_left(scratch: Path) -> tuple[Level, ...]:
    """The phases that a compilation had passed when its host was stopped."""
    folders = sorted(scratch.glob(f"{_FOLDER}*"))
    return tuple(level for folder in folders for level in read_phases(folder))


def _too_large(path: Path, phase: str) -> bool:
    return phase == KERNELS and path.stat().st_size > KERNELS_LIMIT


def _phase_order(path: Path) -> int:
    return int(path.name.split(".")[-3]) if path.name.split(".")[-3].isdigit() else 0


def _present(module: str) -> bool:
    try:
        return util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
