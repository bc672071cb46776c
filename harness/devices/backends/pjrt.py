# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Devices through PJRT. All use of jaxlib's unpromised names is in this module.

jaxlib was chosen over `pypjrt` (pure ctypes over the same C API, which also ran BERT and
ResNet-50 correctly) because it carries the CPU client, converts plugin errors to exceptions where
the Tenstorrent plugin aborts under ctypes, and reads portable StableHLO artifacts itself.
"""

import io
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib import metadata, util
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bringup.harness.devices.backend import Array, CompileError, Opening
from bringup.harness.devices.backends.xla import jaxlib_libraries
from bringup.harness.devices.wire import Analysis, Level, Placed
from bringup.harness.errors import DeviceError
from bringup.harness.records.variable_names import (
    JAX_PLATFORMS_VARIABLE,
    PLUGIN_PREFIX,
    XLA_LOG_LEVEL_VARIABLE,
)

VIRTUAL_CHIPS = 8
"""Of XLA's CPU client, all of them the one processor: as many as a program over several may use."""
PLUGIN_GROUPS = ("jax_plugins", "xla_plugins")


class PjrtBackend:
    """A PJRT device: XLA's in-process CPU client, or a plugin library."""

    def __init__(self, plugin: str | None = None, library: Path | None = None) -> None:
        self._plugin = plugin
        self._library = library
        self._virtual: Any = None

    def open(self) -> Opening:
        """Make the client and take its first device."""
        os.environ.setdefault(JAX_PLATFORMS_VARIABLE, "cpu")  # plugins register at import otherwise
        os.environ.setdefault(XLA_LOG_LEVEL_VARIABLE, "2")
        import jax

        jax.config.update("jax_enable_x64", True)
        self._jax, self._core = jax, _core()
        self._client = self._make_client()
        devices = self._client.local_devices()
        if not devices:
            raise DeviceError(f"the {self._plugin or 'cpu'} client shows no device")
        self._device = devices[0]
        return Opening(
            platform=self._client.platform_version.strip().splitlines()[0],
            kind=self._device.device_kind,
            count=len(devices),
            chips=len(devices) if self._plugin else VIRTUAL_CHIPS,
            executes=True,
            stablehlo_version=self._attribute("stablehlo_current_version")
            or self._oldest_version(),
        )

    def _chips(self) -> list[Any]:
        """The devices that a program may be spread over.

        Those of the CPU have a client of their own, made when one is asked for: with it come as
        many threads, which programs for one chip are to do without.
        """
        if self._plugin is None and self._virtual is None:
            from jaxlib import xla_client

            self._virtual = xla_client.make_cpu_client(num_devices=VIRTUAL_CHIPS)
        return list((self._virtual or self._client).local_devices())

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

    def _oldest_version(self) -> str:
        """The StableHLO that a jaxlib before 0.6 reads; empty for others, which read ours.

        `repro --versions` asks such releases.
        """
        if self._core.__name__ == "jaxlib._jax":
            return ""
        from jaxlib.mlir.dialects import stablehlo

        return str(stablehlo.get_current_version())

    def compile(self, stablehlo: bytes, options: dict[str, str]) -> tuple[Any, tuple[Level, ...]]:
        """Compile for the first device; the level kept is XLA's optimised HLO."""
        executable = self.load(stablehlo, options)
        return executable, self._hlo(executable)

    def load(self, stablehlo: bytes, options: dict[str, str]) -> Any:
        """Compile and nothing else."""
        from jaxlib import xla_client

        settings = xla_client.CompileOptions()
        settings.env_option_overrides = list(options.items())
        return self._compiled(stablehlo, (self._device,), settings)

    def _compiled(
        self,
        stablehlo: bytes,
        devices: tuple[Any, ...],
        settings: Any,
        placed: Placed | None = None,
    ) -> Any:
        """What the client makes of a portable artifact, divided over the chips as `placed` says.

        Raises:
            CompileError: it refuses.
        """
        program = stablehlo if placed is None else sharded(stablehlo, placed)
        client = devices[0].client
        try:
            if not hasattr(client, "compile_and_load"):  # as in jaxlib before 0.6
                return client.compile(program, settings)
            return client.compile_and_load(program, self._core.DeviceList(devices), settings)
        except (self._core.JaxRuntimeError, ValueError) as error:
            raise CompileError(str(error)) from error

    def compile_placed(
        self, stablehlo: bytes, options: dict[str, str], placed: Placed
    ) -> tuple[Any, tuple[Level, ...]]:
        """Compile for some of the client's devices."""
        executable = self.load_placed(stablehlo, options, placed)
        return executable, self._hlo(executable.loaded)

    def load_placed(
        self, stablehlo: bytes, options: dict[str, str], placed: Placed
    ) -> "PlacedExecutable":
        """One program over the chips: XLA divides it as its arguments are divided (SPMD)."""
        from jaxlib import xla_client

        every = self._chips()
        if max(placed.chips) >= len(every):
            raise CompileError(f"chip {max(placed.chips)} is asked for, and there are {len(every)}")
        devices = tuple(every[chip] for chip in placed.chips)
        settings = xla_client.CompileOptions()
        settings.env_option_overrides = list(options.items())
        settings.num_replicas, settings.num_partitions = 1, len(devices)
        build = settings.executable_build_options
        build.num_replicas, build.num_partitions = 1, len(devices)
        build.use_spmd_partitioning = build.use_shardy_partitioner = len(devices) > 1
        ids = np.array([[device.id for device in devices]], dtype=np.int32)
        build.device_assignment = xla_client.DeviceAssignment.create(ids)
        divided = placed if len(devices) > 1 else None
        loaded = self._compiled(stablehlo, devices, settings, divided)
        return PlacedExecutable(loaded, devices, placed)

    def _hlo(self, executable: Any) -> tuple[Level, ...]:
        try:
            modules = executable.hlo_modules()
        except self._core.JaxRuntimeError:  # optional in the C API
            return ()
        return tuple(Level("hlo_optimized", module.to_string()) for module in modules)

    def analysis(self, executable: Any) -> Analysis:
        """The sizes of XLA's buffer assignment and its count of work, as far as a plugin has them.

        Its own time (`optimal_seconds`) is left out: plugins give negative ones.
        """
        program = executable.loaded if isinstance(executable, PlacedExecutable) else executable
        try:
            memory = program.get_compiled_memory_stats()
        except self._core.JaxRuntimeError:  # optional in the C API
            return Analysis()
        try:
            work = program.cost_analysis()
        except self._core.JaxRuntimeError:
            work = {}
        return Analysis(
            arguments=memory.argument_size_in_bytes,
            outputs=memory.output_size_in_bytes,
            aliased=memory.alias_size_in_bytes,
            temporaries=memory.temp_size_in_bytes,
            code=memory.generated_code_size_in_bytes,
            flops=work.get("flops"),
            bytes=work.get("bytes accessed"),
        )

    def run(self, executable: Any, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, run, copy out."""
        if isinstance(executable, PlacedExecutable):
            return self._run_placed(executable, inputs)
        sharding = self._jax.sharding.SingleDeviceSharding(self._device)
        buffers = [self._put(value, sharding) for value in inputs]
        results = executable.execute_sharded(buffers)
        arrays = results.disassemble_into_single_device_arrays()
        return [np.asarray(shards[0]) for shards in arrays]

    def _put(self, value: Array, sharding: Any) -> Any:
        aval = self._jax.core.ShapedArray(value.shape, value.dtype)
        return self._core.batched_device_put(aval, sharding, [value], [self._device])

    def _run_placed(self, executable: "PlacedExecutable", inputs: Sequence[Array]) -> list[Array]:
        """Copy to every chip its part of each input, run, copy out what the first chip has.

        Results are whole on every chip, those of other chips gathered.
        """
        sharding = self._jax.sharding
        devices, placed = executable.devices, executable.placed
        names, sizes = zip(*placed.axes, strict=True)
        mesh = sharding.Mesh(np.array(devices).reshape(sizes), names)
        buffers = []
        for place, value in enumerate(inputs):
            axes = [axis or None for axis in placed.axes_of(place, value.ndim)]
            target = sharding.NamedSharding(mesh, sharding.PartitionSpec(*axes))
            shares = target.devices_indices_map(value.shape)
            parts = [np.asarray(value[shares[device]], order="C") for device in devices]
            aval = self._jax.core.ShapedArray(value.shape, value.dtype)
            buffers.append(self._core.batched_device_put(aval, target, parts, list(devices)))
        results = executable.loaded.execute_sharded(buffers)
        arrays = results.disassemble_into_single_device_arrays()
        return [np.asarray(shards[0]) for shards in arrays]

    def serialize(self, executable: Any) -> bytes:
        """PJRT's serialised executable."""
        if isinstance(executable, PlacedExecutable):
            executable = executable.loaded
        return bytes(executable.serialize())


class XlaCpuBackend(PjrtBackend):
    """XLA's in-process CPU client, whose executables are machine code for this processor."""

    def load_binary(self, binary: bytes) -> Any:
        """The executable that `serialize` gave as bytes."""
        from jaxlib import xla_client

        devices = self._core.DeviceList((self._device,))
        return self._client.deserialize_executable(binary, devices, xla_client.CompileOptions())


class PlacedExecutable(NamedTuple):
    """A program on some of a client's devices."""

    loaded: Any
    devices: tuple[Any, ...]
    placed: Placed


def _core() -> Any:
    """jaxlib's own module of XLA; releases before 0.6 have it under another name."""
    try:
        from jaxlib import _jax
    except ImportError:
        from jaxlib import xla_extension as _jax
    return _jax


def sharded(stablehlo: bytes, placed: Placed) -> bytes:
    """A portable artifact as bytecode whose arguments say how they are divided over the chips."""
    from jaxlib.mlir import ir

    with ir.Context() as context, io.BytesIO() as written:
        module_of(context, stablehlo, placed).operation.write_bytecode(written)
        return written.getvalue()


def module_of(context: Any, stablehlo: bytes, placed: Placed | None = None) -> Any:
    """A portable artifact as a module, with what `placed` says of its arguments.

    By the attributes of Shardy, which XLA and tt-mlir both read; results are whole on every chip.
    """
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import sdy
    from jaxlib.mlir.dialects import stablehlo as dialect

    dialect.register_dialect(context)
    sdy.register_dialect(context)
    module = dialect.deserialize_portable_artifact(context, stablehlo)
    if placed is None:
        return module
    with context, ir.Location.unknown():
        with ir.InsertionPoint.at_block_begin(module.body):
            axes = [sdy.MeshAxisAttr.get(name, size) for name, size in placed.axes]
            sdy.MeshOp("mesh", sdy.MeshAttr.get(axes))
        main = next(op for op in module.body if op.attributes["sym_name"].value == "main")
        main.attributes["arg_attrs"] = ir.ArrayAttr.get(
            [
                _sharding(ir, placed.axes_of(place, len(argument.type.shape)))
                for place, argument in enumerate(main.arguments)
            ]
        )
        main.attributes["res_attrs"] = ir.ArrayAttr.get(
            [_sharding(ir, ("",) * len(result.shape)) for result in main.type.results]
        )
    return module


def _sharding(ir: Any, axes: Sequence[str]) -> Any:
    """Of a tensor that is divided over these axes, one a dimension."""
    shares = (f'{{"{axis}"}}' if axis else "{}" for axis in axes)
    text = f"#sdy.sharding<@mesh, [{', '.join(shares)}]>"
    return ir.DictAttr.get({"sdy.sharding": ir.Attribute.parse(text)})


def plugin_backend(device: str, patterns: Sequence[str], install: str = "") -> PjrtBackend:
    """The backend of the first installed plugin whose name is, or matches, one of `patterns`.

    Raises:
        DeviceError: there is none; `install` says what brings one.
    """
    for plugin, library in chosen(patterns):
        return PjrtBackend(plugin, library)
    hint = f"; {install}" if install else ""
    raise DeviceError(f"no PJRT plugin for {device.rpartition(':')[2]} is installed{hint}")


def plugin_libraries(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The library of the plugin that `plugin_backend` takes, XLA's that opens it, and its own.

    The plugin's own are those in its package's folder; of a library that lies alone, none.
    """
    found = [path for _, path in chosen(patterns)][:1]
    beside = [
        p for f in found if (f.parent / "__init__.py").is_file() for p in f.parent.glob("*.so*")
    ]
    return tuple(sorted({*found, *beside, *jaxlib_libraries()}))


def chosen(patterns: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The installed plugins whose names match one of `patterns`, by the order of those."""
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
