# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Devices through PJRT. All use of jaxlib's unpromised names is in this module.

jaxlib was chosen over `pypjrt` (pure ctypes over the same C API, which also ran BERT and
ResNet-50 correctly) because it carries the CPU client, converts plugin errors to exceptions where
the Tenstorrent plugin aborts under ctypes, and reads portable StableHLO artifacts itself.
"""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np

from bringup.harness.devices.backend import Array, CompileError, Opening
from bringup.harness.devices.backends.xla import jaxlib_libraries
from bringup.harness.devices.wire import Level
from bringup.harness.errors import DeviceError
from bringup.harness.records.variable_names import (
    JAX_PLATFORMS_VARIABLE,
    PLUGIN_PREFIX,
    XLA_LOG_LEVEL_VARIABLE,
)

PLUGIN_GROUPS = ("jax_plugins", "xla_plugins")


class PjrtBackend:
    """A PJRT device: XLA's in-process CPU client, or a plugin library."""

    def __init__(self, plugin: str | None = None, library: Path | None = None) -> None:
        self._plugin = plugin
        self._library = library

    def open(self) -> Opening:
        """Make the client and take its first device."""
        os.environ.setdefault(JAX_PLATFORMS_VARIABLE, "cpu")  # plugins register at import otherwise
        os.environ.setdefault(XLA_LOG_LEVEL_VARIABLE, "2")
        import jax
        from jaxlib import _jax

        jax.config.update("jax_enable_x64", True)
        self._jax, self._core = jax, _jax
        self._client = self._make_client()
        devices = self._client.local_devices()
        if not devices:
            raise DeviceError(f"the {self._plugin or 'cpu'} client shows no device")
        self._device = devices[0]
        return Opening(
            platform=self._client.platform_version.strip().splitlines()[0],
            kind=self._device.device_kind,
            count=len(devices),
            executes=True,
            stablehlo_version=self._attribute("stablehlo_current_version"),
        )

    def _make_client(self) -> Any:
        from jaxlib import xla_client

        if self._plugin is None:
            return xla_client.make_cpu_client()
        xla_client.load_pjrt_plugin_dynamically(self._plugin, str(self._library))
        xla_client.initialize_pjrt_plugin(self._plugin)
        try:
            return xla_client.make_c_api_client(self._plugin, {})
        except self._core.JaxRuntimeError as error:
            raise DeviceError(f"the {self._plugin} plugin opens no device: {error}") from error

    def _attribute(self, name: str) -> str:
        """A plugin attribute; version triples are joined by dots."""
        try:
            value = getattr(self._client, name)
        except AttributeError:
            return ""
        return ".".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile for the first device; the level kept is XLA's optimised HLO."""
        executable = self.load(stablehlo, options)
        return executable, self._hlo(executable)

    def load(self, stablehlo: bytes, options: dict[str, str]) -> Any:
        """Compile and nothing else."""
        from jaxlib import xla_client

        settings = xla_client.CompileOptions()
        settings.env_option_overrides = list(options.items())
        devices = self._core.DeviceList((self._device,))
        try:
            return self._client.compile_and_load(stablehlo, devices, settings)
        except (self._core.JaxRuntimeError, ValueError) as error:
            raise CompileError(str(error)) from error

    def _hlo(self, executable: Any) -> tuple[Level, ...]:
        try:
            modules = executable.hlo_modules()
        except self._core.JaxRuntimeError:  # optional in the C API
            return ()
        return tuple(Level("hlo_optimized", module.to_string()) for module in modules)

    def run(self, executable: Any, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, run, copy out."""
        sharding = self._jax.sharding.SingleDeviceSharding(self._device)
        buffers = [self._put(value, sharding) for value in inputs]
        results = executable.execute_sharded(buffers)
        arrays = results.disassemble_into_single_device_arrays()
        return [np.asarray(shards[0]) for shards in arrays]

    def _put(self, value: Array, sharding: Any) -> Any:
        aval = self._jax.core.ShapedArray(value.shape, value.dtype)
        return self._core.batched_device_put(aval, sharding, [value], [self._device])

    def serialize(self, executable: Any) -> bytes:
        """PJRT's serialised executable."""
        return bytes(executable.serialize())


def plugin_backend(device: str, patterns: Sequence[str], install: str = "") -> PjrtBackend:
    """The backend of the first installed plugin whose name is, or matches, one of `patterns`.

    Raises:
        DeviceError: there is none; `install` says what brings one.
    """
    for plugin, library in _chosen(patterns):
        return PjrtBackend(plugin, library)
    hint = f"; {install}" if install else ""
    raise DeviceError(f"no PJRT plugin for {device.rpartition(':')[2]} is installed{hint}")


def plugin_libraries(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The library of the plugin that `plugin_backend` takes, XLA's that opens it, and its own.

    The plugin's own are those in its package's folder; of a library that lies alone, none.
    """
    found = [path for _, path in _chosen(patterns)][:1]
    beside = [
        p for f in found if (f.parent / "__init__.py").is_file() for p in f.parent.glob("*.so*")
    ]
    return tuple(sorted({*found, *beside, *jaxlib_libraries()}))


def _chosen(patterns: Sequence[str]) -> Iterator[tuple[str, Path]]:
    plugins = discover_plugins()
    for pattern in patterns:
        yield from ((name, path) for name, path in plugins.items() if fnmatchcase(name, pattern))


def discover_plugins() -> dict[str, Path]:
    """Installed PJRT plugin libraries by plugin name, without loading any.

    From `BRINGUP_PJRT_PLUGIN_NAME=library` in the environment, then the entry-point groups that
    jax and torch-xla use, then the `jax_plugins` namespace package.
    """
    found: dict[str, Path] = {}
    for variable, path in os.environ.items():
        if variable.startswith(PLUGIN_PREFIX):
            found[variable.removeprefix(PLUGIN_PREFIX).lower()] = Path(path)
    for group in PLUGIN_GROUPS:
        for point in metadata.entry_points(group=group):
            library = _library_of(point.module)
            if library:
                found.setdefault(point.name, library)
    spec = util.find_spec("jax_plugins")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for package in sorted(Path(folder).iterdir()):
            library = next(iter(sorted(package.glob("*.so"))), None) if package.is_dir() else None
            if library:
                found.setdefault(package.name, library)
    return found


def _library_of(module: str) -> Path | None:
    try:
        spec = util.find_spec(module)
    except ModuleNotFoundError:
        return None
    folders = spec.submodule_search_locations if spec else None
    return next((p for f in folders or [] for p in sorted(Path(f).glob("*.so"))), None)
