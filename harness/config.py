# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CompilerConfig: what to do with a model, from code and from the environment.

Names follow tt-torch. Every setting can be overridden by an environment variable, and the
environment always beats code: `TT_TORCH_COMPILE_DEPTH=TTNN_IR pytest ...` stops a test before
executing whatever its body says. A value that cannot be read is refused, never ignored, and so is
a setting that does not exist, tt-torch's among them that mean nothing here.
"""

import contextlib
import enum
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.records import variable_names as names
from bringup.harness.records.variable_values import (
    DEPTHS,
    SECONDS,
    flag,
    log_level,
    one_of,
    save_levels,
    threshold,
    whole,
)

T = TypeVar("T")


class CompileDepth(enum.Enum):
    """Where to stop."""

    TORCH_FX = 1
    STABLEHLO = 2
    TTNN_IR = 3
    """After the device's compiler, on any device; nothing is executed."""
    COMPILE_OP_BY_OP = 4
    EXECUTE_OP_BY_OP = 5
    EXECUTE = 6

    @property
    def op_by_op(self) -> bool:
        """Is this one of the two op-by-op depths?"""
        return self in (CompileDepth.COMPILE_OP_BY_OP, CompileDepth.EXECUTE_OP_BY_OP)

    @property
    def compiles(self) -> bool:
        """Does a full flow at this depth reach the device's compiler?"""
        return self in (CompileDepth.TTNN_IR, CompileDepth.EXECUTE)


class OpByOpBackend(enum.Enum):
    """What an op-by-op flow splits: the FX graph or the StableHLO module."""

    TORCH = 1
    STABLEHLO = 2


BACKENDS = ("bringup", "tt", "tt-legacy", "tt-experimental", "tt-xla")
"""What a tester's `backend=`, and that of `torch.compile`, may be: all are the one there is."""


class Setting(Generic[T]):
    """An attribute with a default, a type and the environment variable that beats it."""

    def __init__(self, default: T, variable: str, parse: Callable[[str], T]) -> None:
        self.default, self.variable, self.parse = default, variable, parse

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, config: None, owner: type) -> "Setting[T]": ...

    @overload
    def __get__(self, config: object, owner: type) -> T: ...

    def __get__(self, config: object | None, owner: type) -> "T | Setting[T]":
        if config is None:
            return self
        override = self.override()
        return override if override is not None else config.__dict__.get(self.name, self.default)

    def __set__(self, config: object, value: object) -> None:
        """Raise UsageError for what the setting cannot be: `"false"` would count as true."""
        try:
            config.__dict__[self.name] = self._sound(value)
        except ValueError as error:
            what = f"{type(config).__name__}.{self.name} = {value!r:.80}"
            raise UsageError(f"{what}: {error}") from None

    def _sound(self, value: object) -> object:
        """The value, if code may give it: of the default's kind, and what its text may say."""
        if isinstance(self.default, bool | enum.Enum):
            _expect(value, type(self.default))
            return value
        if value is None and self.default is None:
            return value
        if isinstance(self.default, tuple):
            if not (isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)):
                raise ValueError("expected a tuple of texts")
            return self.parse(",".join(value))
        text = isinstance(self.default, str)
        if isinstance(value, bool) or not isinstance(value, str if text else int | float):
            raise ValueError(f"expected a {'text' if text else 'number'}")
        return self.parse(str(value))

    def override(self) -> T | None:
        """The environment's value, or None where it has none.

        Raises:
            UsageError: it has one that cannot be read.
        """
        text = os.environ.get(self.variable)
        if text is None:
            return None
        try:
            return self.parse(text.strip())
        except (ValueError, KeyError) as error:
            raise UsageError(f"{self.variable}={text!r}: {error.args[0]}") from error


def _expect(value: object, kind: type) -> None:
    """Raise ValueError, with what was meant where that is plain, for a value of another kind."""
    if isinstance(value, kind):
        return
    if not issubclass(kind, enum.Enum):
        raise ValueError("expected True or False")
    names = list(kind.__members__)
    if value in names:
        raise ValueError(f"expected {kind.__name__}.{value}")
    meant = hint(value, names) if isinstance(value, str) else ""
    raise ValueError(f"expected a {kind.__name__}: {', '.join(names)}{meant}")


def _depth(text: str) -> CompileDepth:
    return CompileDepth[one_of(*DEPTHS)(text)]


_ELSEWHERE = {
    "data_parallel_mode": "give it to the tester, as data_parallel_mode=",
    "valid_dialects": 'say save_mlir = ("STABLEHLO",) for the levels that are to be written',
    "xla_mesh": "give the tester tensor_parallel_mode=True, get_mesh_config and load_shard_spec",
    "output_mlir_dir": "files go to the run's directory",
    "output_binary_dir": "files go to the run's directory",
    "results_path": "records go to the run's directory; --results of a run says where that is",
    "model_name": "give it to the tester",
    "model_group": "give it to the tester, as model_group=",
    "record_property": "give it to the tester, as record_property_handle=",
    "remove_embedded_constants": "parameters are arguments unless inline_parameters is set",
    "runtime_intermediate_cache": "register_intermediate_callback of an Executor gets the values",
    "torch_mlir_module": "the IR of every level is kept with the test's record",
    "stablehlo_mlir_module": "the IR of every level is kept with the test's record",
    "unique_ops": "the ops of a model are on its record",
    "stable_hlo_ops": "the ops of a model are on its record",
}
"""Settings of tt-torch that are none here: what to do instead."""


class _Noted(Setting[T]):
    """A setting that notes on its config when it is asked for."""

    def __get__(self, config: Any, owner: type) -> Any:
        if config is not None:
            config.__dict__["_flow_asked"] = True
        return super().__get__(config, owner)


class Always(Generic[T]):
    """An attribute of tt-torch's that has one meaning here: it takes the values that say it.

    Whoever sets another is told why that is not done, and what is.
    """

    def __init__(self, *values: T, because: str) -> None:
        self.values, self.because = values, because

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, config: object | None, owner: type) -> T:
        return self.values[0] if config is None else config.__dict__.get(self.name, self.values[0])

    def __set__(self, config: object, value: T) -> None:
        if value not in self.values:
            whose = f"{type(config).__name__}.{self.name} = {value!r}"
            raise UsageError(f"{whose} is not done here: {self.because}")
        config.__dict__[self.name] = value


class Logged:
    """tt-torch's `dump_info` and `dump_debug`: is `ir_log_level` at least this?"""

    def __init__(self, *levels: str) -> None:
        self.levels = levels

    def __get__(self, config: Any, owner: type) -> bool:
        return config is not None and config.ir_log_level in self.levels

    def __set__(self, config: Any, value: bool) -> None:
        if value and config.ir_log_level not in self.levels:
            config.ir_log_level = self.levels[0]
        elif not value and config.ir_log_level == self.levels[0]:
            config.ir_log_level = "INFO" if self.levels[0] == "DEBUG" else ""


class _Built(type):
    """Lets an `__init__` bring attributes of its own, and nobody afterwards."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        config = super().__call__(*args, **kwargs)
        config._built = True
        return config


class CompilerConfig(metaclass=_Built):
    """The settings of one test. Attributes may be set in code; the environment beats them.

    A subclass may have attributes of its own, declared in its body or set by its `__init__`.
    """

    _built = False
    _flow_asked = False
    """Did somebody ask which flow this is since this was set to False last?"""

    compile_depth = _Noted(CompileDepth.EXECUTE, names.DEPTH_VARIABLE, _depth)
    profile_ops = Setting(True, names.PROFILE_OPS_VARIABLE, flag)
    """Put the seconds and the memory of each op's stages on record in op-by-op flows."""
    enable_consteval = Setting(False, names.CONSTEVAL_VARIABLE, flag)
    """Fold what depends on constants and buffers before compiling."""
    consteval_parameters = Setting(False, names.CONSTEVAL_PARAMETERS_VARIABLE, flag)
    """Fold what depends on parameters too."""
    inline_parameters = Setting(False, names.INLINE_PARAMETERS_VARIABLE, flag)
    """Put parameters into the IR as constants instead of passing them as arguments."""
    enable_optimizer = Setting(False, names.OPTIMIZER_VARIABLE, flag)
    """Ask the device's compiler for its optimiser."""
    verify_op_by_op = Setting(False, names.VERIFY_OP_BY_OP_VARIABLE, flag)
    """Fail an op-by-op test in which an op's output is wrong; compared it is in any case."""
    enable_intermediate_verification = Setting(False, names.VERIFY_INTERMEDIATES_VARIABLE, flag)
    """Compare every intermediate value of a full flow and name the first that is wrong."""
    check_all_ops_execute = Setting(False, names.CHECK_ALL_OPS_EXECUTE_VARIABLE, flag)
    """Fail an op-by-op test in which an op did not execute."""
    ir_log_level = Setting("", names.IR_LOG_LEVEL_VARIABLE, log_level)
    """INFO prints each level's IR, DEBUG what every pass of torch-mlir changed as well."""
    save_mlir = Setting[tuple[str, ...]]((), names.SAVE_MLIR_VARIABLE, save_levels)
    """Levels to write as plain files: STABLEHLO, TTIR, TTNN."""
    save_binary = Setting(False, names.SAVE_BINARY_VARIABLE, flag)
    """Write the device's binary as a plain file."""
    run_global_op_idx = Setting[int | None](None, names.ONLY_OP_VARIABLE, whole("an op's index"))
    """Run only the op of this index in an op-by-op flow."""
    rti_pcc_fail_thresh = Setting(0.99, names.INTERMEDIATE_PCC_VARIABLE, threshold)
    """PCC below which an intermediate value counts as wrong."""
    single_op_timeout = Setting(30.0, names.OP_DEADLINE_VARIABLE, SECONDS)
    """Seconds for one op in an op-by-op flow."""

    automatic_parallelization = False
    """Split the batch over the devices of `mesh_shape`, in one program."""
    dump_info = Logged("INFO", "DEBUG")
    dump_debug = Logged("DEBUG")
    typecast_inputs = Always(
        True, because="inputs are always cast to the dtypes that the program declares"
    )
    push_outputs_to_cpu = Always(True, because="outputs always come back as CPU tensors")
    cache_preprocessed_constants = Always(
        False, True, because="it is True or False, and no result depends on it"
    )
    """Nothing of a parameter is preprocessed on the host, so there is nothing to keep or to drop:
    either is what happens."""
    arg_type_map_override = Always(
        False, because="which arguments are parameters is known from the model"
    )
    device_map: Mapping[str, object] = MappingProxyType({})
    """By module of a model, the number of the device it runs on: for `torch.compile` alone."""

    def __init__(self) -> None:
        self._op_by_op_backend: OpByOpBackend | None = None
        self._mesh_shape: tuple[int, int] = (1, 1)
        for setting in vars(type(self)).values():
            if isinstance(setting, Setting):
                setting.override()  # a value that cannot be read is refused here, not later

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute that there is.

        Raises:
            UsageError: there is none of that name, or none that can be set.
        """
        if not (name.startswith("_") or self._has(name)):
            raise UsageError(_no_setting(name, type(self)))
        try:
            object.__setattr__(self, name, value)
        except AttributeError:
            raise UsageError(f"{type(self).__name__}.{name} follows from others") from None

    def _has(self, name: str) -> bool:
        cls = type(self)
        declared = hasattr(cls, name) or any(
            name in vars(base).get("__annotations__", {}) for base in cls.__mro__
        )
        own = cls is not CompilerConfig and not self._built and not _meant(name, cls)
        return declared or own or name in vars(self)

    @property
    def op_by_op_backend(self) -> OpByOpBackend:
        """What to split in an op-by-op flow; TORCH until somebody says otherwise."""
        self._flow_asked = True
        return self._op_by_op_backend or OpByOpBackend.TORCH

    @op_by_op_backend.setter
    def op_by_op_backend(self, backend: OpByOpBackend) -> None:
        try:
            _expect(backend, OpByOpBackend)
        except ValueError as error:
            what = f"{type(self).__name__}.op_by_op_backend = {backend!r:.80}"
            raise UsageError(f"{what}: {error}") from None
        self._op_by_op_backend = backend

    @property
    def mesh_shape(self) -> tuple[int, int]:
        """Rows and columns of the devices that one program runs on."""
        return self._mesh_shape

    @mesh_shape.setter
    def mesh_shape(self, shape: Sequence[int]) -> None:
        sizes = tuple(shape) if isinstance(shape, Sequence) else ()
        if len(sizes) != 2 or not all(type(size) is int and size > 0 for size in sizes):
            raise UsageError(
                f"{type(self).__name__}.mesh_shape = {shape!r}: give two whole numbers from 1, rows"
                " and columns"
            )
        self._mesh_shape = (sizes[0], sizes[1])

    @property
    def mesh_devices(self) -> int:
        """How many devices the batch is split over: 1 unless `automatic_parallelization` is set."""
        return math.prod(self.mesh_shape) if self.automatic_parallelization else 1

    @property
    def dump_binary(self) -> bool:
        """tt-torch's name of `save_binary`."""
        return self.save_binary

    @dump_binary.setter
    def dump_binary(self, value: bool) -> None:
        self.save_binary = value

    @property
    def save_mlir_override(self) -> tuple[str, ...]:
        """tt-torch's name of `save_mlir`."""
        return self.save_mlir

    @save_mlir_override.setter
    def save_mlir_override(self, levels: Sequence[str] | None) -> None:
        self.save_mlir = save_levels(",".join(levels or ()))

    def to_dict(self) -> dict[str, object]:
        """Every setting as it holds now, enums by their names."""
        named = {name: getattr(self, name) for name in _settings_of(type(self))}
        return {n: v.name if isinstance(v, enum.Enum) else v for n, v in named.items()}

    @contextlib.contextmanager
    def asked_for_flow(self) -> Iterator[Callable[[], bool]]:
        """Within it, what it gives tells whether somebody has asked which flow this is."""
        before, self._flow_asked = self._flow_asked, False
        try:
            yield lambda: self._flow_asked
        finally:
            self._flow_asked |= before

    @property
    def splits_fx(self) -> bool:
        """Is this an op-by-op flow over the FX graph?"""
        return self.compile_depth.op_by_op and self.op_by_op_backend is OpByOpBackend.TORCH

    @property
    def stops_at_graph(self) -> bool:
        """Does lowering end with the graph, whose ops or parts are then lowered alone?"""
        return self.splits_fx

    @property
    def chosen_backend(self) -> OpByOpBackend | None:
        """The backend somebody chose, None when nobody did."""
        self._flow_asked = True
        return self._op_by_op_backend


def _meant(name: str, cls: type) -> str:
    """What a name that is no setting seems to stand for; empty when it is like none."""
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    return hint(name, _settings_of(cls)).removeprefix("; ")


def _no_setting(name: str, cls: type) -> str:
    meant = _meant(name, cls) or f"it has {', '.join(_settings_of(cls))}"
    whose = "is tt-torch's and none here" if name in _ELSEWHERE else "is no setting"
    return f"{cls.__name__}.{name} {whose}: {meant}"


def _settings_of(cls: type) -> list[str]:
    """The names that may be set."""
    found = {
        name
        for base in cls.__mro__
        for name, held in vars(base).items()
        if isinstance(held, Setting | Always | Logged)
        or (isinstance(held, property) and held.fset is not None)
        or name == "automatic_parallelization"
    }
    return sorted(found)
