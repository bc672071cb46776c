# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""XLA for TPUs and NVIDIA GPUs, there or only described.

Both plugins compile for a *topology* without a device: libtpu knows its own by name, the CUDA
plugin is told a GPU's figures (openxla's `GpuTargetConfigProto`, as text). A client of such a
topology compiles and cannot run. With the card in the machine an ordinary client is opened.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from bringup.harness.devices.backend import CompileError, DoesNotFit, Opening
from bringup.harness.devices.backends.accelerator_file import Accelerator, GpuTarget, TpuTarget
from bringup.harness.devices.backends.accelerator_hardware import is_here
from bringup.harness.devices.backends.pjrt import PjrtBackend, chosen, module_of
from bringup.harness.devices.backends.xla import CUDA_INSTALL, CUDA_PLUGINS, TPU_INSTALL
from bringup.harness.devices.shared_libraries import libraries_of
from bringup.harness.devices.toolchain import owner_of
from bringup.harness.devices.wire import Level, Placed
from bringup.harness.errors import DeviceError
from bringup.harness.records.variable_names import (
    JAX_PLATFORMS_VARIABLE,
    XLA_LOG_LEVEL_VARIABLE,
)

PTX = "ptx"
_NO_ROOM = "RESOURCE_EXHAUSTED"
_FOLDER = "bringup-xla-"
_KERNELS = re.compile(r"module_\d+\..*?\.(?P<part>\d+)\.ptx")
_ANY = b"""func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = stablehlo.add %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}"""
"""A program that every target takes."""
_WITHOUT_A_CARD = {"xla_gpu_autotune_level": "0"}
"""Autotuning runs candidates: without a card there is nothing to run them on, and what is chosen
instead is the same every time."""


@dataclass(frozen=True)
class Plugin:
    """A PJRT plugin, and how it is told what it compiles for."""

    name: str
    library: Path
    topology: str
    """By name; empty where the options say it."""
    options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Set where it is only described."""
    says: str = ""
    """What a real device calls itself has this in it."""
    keeps_kernels: bool = False
    """Does it write PTX?"""


class XlaAccelerator(PjrtBackend):
    """One accelerator that XLA compiles for."""

    def __init__(self, found: Accelerator) -> None:
        """An accelerator, of which a plugin must be installed.

        Raises:
            DeviceError: none is.
        """
        self._found = found
        self._how = plugin_for(found)
        self._described = False
        super().__init__(self._how.name, self._how.library)

    def open(self) -> Opening:
        """Open the card, or the description of one."""
        note = f"{_distribution(self._how.library)}; no device: compiles only"
        if is_here(self._found):
            try:
                opened = super().open()
            except DeviceError as error:
                note = f"{error}: compiles only"
            else:
                if self._how.says.casefold() in opened.kind.casefold():
                    return opened
                note = f"this machine has {opened.kind}: compiles only"
        return self._open_described(note)

    def _open_described(self, note: str) -> Opening:
        os.environ.setdefault(JAX_PLATFORMS_VARIABLE, "cpu")  # plugins register at import otherwise
        os.environ.setdefault(XLA_LOG_LEVEL_VARIABLE, "2")
        os.environ.update(self._how.environment)
        from jaxlib import _jax, xla_client
        from jaxlib.mlir.dialects import stablehlo

        self._core, self._described = _jax, True
        api = xla_client.load_pjrt_plugin_dynamically(self._how.name, str(self._how.library))
        xla_client.initialize_pjrt_plugin(self._how.name)
        try:
            topology = xla_client.make_c_api_device_topology(
                api, self._how.topology, **self._how.options
            )
            devices = topology._make_compile_only_devices()
        except _jax.JaxRuntimeError as error:
            raise self._unknown(error) from error
        self._devices, self._device = devices, devices[0]
        self._refuse_unknown_target()
        return Opening(
            platform=_distribution(self._how.library),
            kind=self._device.device_kind,
            count=len(devices),
            chips=len(devices),
            executes=False,
            stablehlo_version=stablehlo.get_current_version(),
            note=note,
        )

    def _refuse_unknown_target(self) -> None:
        """See that a compiler takes the figures of a user's own file; some it finds wrong only
        when it compiles, and then every model would be to blame."""
        if self._found.own and isinstance(self._found.target, GpuTarget):
            from jaxlib.mlir.dialects import stablehlo

            newest = stablehlo.get_current_version()
            try:
                self.compile(stablehlo.serialize_portable_artifact_str(_ANY, newest), {})
            except CompileError as error:
                raise self._unknown(error) from error

    def _unknown(self, error: Exception) -> DeviceError:
        field = "target"
        if isinstance(self._found.target, TpuTarget):
            is_chip = str(error).startswith("NOT_FOUND: embed://tpu_chip_config")
            field = "target.chip_config" if is_chip else "target.topology"
        said = str(error).strip().splitlines()[0]
        where = f"{self._found.file}: {field}"
        return DeviceError(f"{where}: {self._how.name} does not take it: {said}")

    def _chips(self) -> list[Any]:
        return list(self._devices) if self._described else super()._chips()

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile; the levels kept are the optimised HLO and, of a GPU, its kernels in PTX."""
        return self._kept(options, lambda told: PjrtBackend.compile(self, stablehlo, told))

    def compile_placed(
        self, stablehlo: bytes, options: dict[str, str], placed: Placed
    ) -> tuple[Any, tuple[Level, ...]]:
        """The same for several chips."""
        return self._kept(
            options, lambda told: PjrtBackend.compile_placed(self, stablehlo, told, placed)
        )

    def _kept(
        self,
        options: dict[str, str],
        compiled: Callable[[dict[str, str]], tuple[Any, tuple[Level, ...]]],
    ) -> tuple[Any, tuple[Level, ...]]:
        if not self._how.keeps_kernels:
            return compiled(options)
        told = {**(_WITHOUT_A_CARD if self._described else {}), **options}
        with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder:
            try:
                executable, levels = compiled({**told, "xla_dump_to": folder})
            except CompileError as error:
                raise type(error)(str(error), read_kernels(Path(folder))) from error
            return executable, (*levels, *read_kernels(Path(folder)))

    def _compiled(
        self,
        stablehlo: bytes,
        devices: tuple[Any, ...],
        settings: Any,
        placed: Placed | None = None,
    ) -> Any:
        if not self._described:
            return super()._compiled(stablehlo, devices, settings, placed)
        from jaxlib.mlir import ir

        try:
            with ir.Context() as context:
                module = module_of(context, stablehlo, placed)
                these = self._core.DeviceList(devices)
                return devices[0].client.compile(module, these, settings)
        except (self._core.JaxRuntimeError, ir.MLIRError, ValueError) as error:
            # a client without a device has no memory to run out of but the described one
            refused = DoesNotFit if str(error).startswith(_NO_ROOM) else CompileError
            raise refused(str(error)) from error


def plugin_for(found: Accelerator) -> Plugin:
    """The installed plugin that compiles for an accelerator.

    Raises:
        DeviceError: there is none; the sentence says what brings one.
    """
    if isinstance(found.target, TpuTarget):
        return _tpu(found.target)
    assert isinstance(found.target, GpuTarget)
    return _gpu(found, found.target)


def _tpu(target: TpuTarget) -> Plugin:
    library = next(iter(libraries_of("libtpu", "libtpu.so")), None)
    if library is None:
        raise DeviceError(f"libtpu is not installed; {TPU_INSTALL}")
    environment = {
        "TPU_SKIP_MDS_QUERY": "1",  # else it asks for a cloud's metadata, for seconds
        "TPU_WORKER_HOSTNAMES": "localhost",
        "TPU_ACCELERATOR_TYPE": target.accelerator_type,
        "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # what is described nobody has to himself
        "TPU_LOG_DIR": tempfile.gettempdir(),
    }
    options = {"chip_config_name": target.chip_config} if target.chip_config else {}
    return Plugin("tpu", library, target.topology, options, environment)


def _gpu(found: Accelerator, target: GpuTarget) -> Plugin:
    _, library = next(chosen(CUDA_PLUGINS), ("", None))
    if library is None:
        raise DeviceError(f"no PJRT plugin for NVIDIA GPUs is installed; {CUDA_INSTALL}")
    options = {"topology": f"1x1x{target.chips}", "target_config": gpu_config(found, target)}
    return Plugin("cuda", library, "", options, says=target.says, keeps_kernels=True)


def gpu_config(found: Accelerator, target: GpuTarget) -> str:
    """An accelerator as the text of a `GpuTargetConfigProto`.

    The limits that all GPUs since compute capability 7.0 share are as in NVIDIA's CUDA programming
    guide, table of compute capabilities.
    """
    major, minor = target.compute_capability
    info = {
        "threads_per_block_limit": 1024,
        "threads_per_warp": 32,
        "block_dim_limit_x": 2147483647,
        "block_dim_limit_y": 65535,
        "block_dim_limit_z": 65535,
        "shared_memory_per_block": 48 << 10,
        "shared_memory_per_block_optin": target.shared_memory_per_block,
        "shared_memory_per_core": target.shared_memory_per_core,
        "threads_per_core_limit": target.threads_per_core,
        "core_count": target.cores,
        "fpus_per_core": target.fpus_per_core,
        "clock_rate_ghz": target.clock_ghz,
        "l2_cache_size": target.l2_cache_bytes,
        "memory_bandwidth": round(found.figures.bandwidth),
        "device_memory_size": found.figures.memory,
        "registers_per_core_limit": target.registers_per_core,
        "registers_per_block_limit": target.registers_per_core,
    }
    lines = "".join(f"  {name}: {value}\n" for name, value in info.items())
    capability = f"  cuda_compute_capability {{ major: {major} minor: {minor} }}\n"
    return (
        f"gpu_device_info {{\n{lines}{capability}}}\n"
        f'platform_name: "CUDA"\ndnn_version_info {{ major: 9 minor: 8 patch: 0 }}\n'
        f'device_description_str: "{target.name}"\n'
    )


def read_kernels(folder: Path) -> tuple[Level, ...]:
    """The PTX of every kernel among what XLA dumped, in one text; nothing where there is none."""
    text = "\n".join(_parts(folder))
    return (Level(PTX, text),) if text else ()


def _parts(folder: Path) -> Iterator[str]:
    matches = ((path, _KERNELS.fullmatch(path.name)) for path in folder.glob("*.ptx"))
    numbered = [(int(match["part"]), path) for path, match in matches if match]
    for _, path in sorted(numbered):
        if text := path.read_text(errors="replace").strip():
            yield f"{text}\n"


def levels_left(scratch: Path) -> tuple[Level, ...]:
    """The kernels that a compilation had written when its host was stopped."""
    folders = sorted(scratch.glob(f"{_FOLDER}*"))
    return tuple(level for folder in folders for level in read_kernels(folder))


def _distribution(library: Path) -> str:
    """`libtpu 0.0.52`: the installed package that has the library; else the library's name."""
    owner = owner_of(library)
    return f"{owner} {metadata.version(owner)}" if owner else library.name
