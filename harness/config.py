# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CompilerConfig: what to do with a model, from code and from the environment.

Names follow tt-torch. Every setting can be overridden by an environment variable, and the
environment always beats code: `TT_TORCH_COMPILE_DEPTH=TTNN_IR pytest ...` stops a test before
executing whatever its body says. A value that cannot be read is refused, never ignored.
"""

import enum
import os
from collections.abc import Callable
from typing import Generic, TypeVar, overload

from harness.errors import UsageError
from harness.records import environment
from harness.records.environment import (
    SECONDS,
    flag,
    log_level,
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

    def __set__(self, config: object, value: T) -> None:
        config.__dict__[self.name] = value

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


def _depth(text: str) -> CompileDepth:
    return CompileDepth[environment.one_of(*environment.DEPTHS)(text)]


class CompilerConfig:
    """The settings of one test. Attributes may be set in code; the environment beats them."""

    compile_depth = Setting(CompileDepth.EXECUTE, "TT_TORCH_COMPILE_DEPTH", _depth)
    profile_ops = Setting(True, "TT_TORCH_PROFILE_OPS", flag)
    """Put the seconds and the memory of each op's stages on record in op-by-op flows."""
    enable_consteval = Setting(False, "TT_TORCH_CONSTEVAL", flag)
    """Fold what depends on constants and buffers before compiling."""
    consteval_parameters = Setting(False, "TT_TORCH_CONSTEVAL_PARAMETERS", flag)
    """Fold what depends on parameters too."""
    inline_parameters = Setting(False, "TT_TORCH_INLINE_PARAMETERS", flag)
    """Put parameters into the IR as constants instead of passing them as arguments."""
    enable_optimizer = Setting(False, "TT_TORCH_OPTIMIZER", flag)
    """Ask the device's compiler for its optimiser."""
    verify_op_by_op = Setting(False, "TT_TORCH_VERIFY_OP_BY_OP", flag)
    """Fail an op-by-op test in which an op's output is wrong; compared it is in any case."""
    enable_intermediate_verification = Setting(False, "TT_TORCH_VERIFY_INTERMEDIATES", flag)
    """Compare every intermediate value of a full flow and name the first that is wrong."""
    check_all_ops_execute = Setting(False, "TT_TORCH_CHECK_ALL_OPS_EXECUTE", flag)
    """Fail an op-by-op test in which an op did not execute."""
    ir_log_level = Setting("", "TT_TORCH_IR_LOG_LEVEL", log_level)
    """INFO prints each level's IR, DEBUG what every pass of torch-mlir changed as well."""
    save_mlir = Setting[tuple[str, ...]]((), "TT_TORCH_SAVE_MLIR", save_levels)
    """Levels to write as plain files: STABLEHLO, TTIR, TTNN."""
    save_binary = Setting(False, "TT_TORCH_SAVE_BINARY", flag)
    """Write the device's binary as a plain file."""
    run_global_op_idx = Setting[int | None](None, "RUN_GLOBAL_OP_IDX", whole("an op's index"))
    """Run only the op of this index in an op-by-op flow."""
    rti_pcc_fail_thresh = Setting(0.99, "RTI_PCC_FAIL_THRESH", threshold)
    """PCC below which an intermediate value counts as wrong."""
    single_op_timeout = Setting(30.0, "BRINGUP_OP_DEADLINE", SECONDS)
    """Seconds for one op in an op-by-op flow."""

    def __init__(self) -> None:
        self._op_by_op_backend: OpByOpBackend | None = None
        for setting in vars(type(self)).values():
            if isinstance(setting, Setting):
                setting.override()  # a value that cannot be read is refused here, not later

    @property
    def op_by_op_backend(self) -> OpByOpBackend:
        """What to split in an op-by-op flow; TORCH until somebody says otherwise."""
        return self._op_by_op_backend or OpByOpBackend.TORCH

    @op_by_op_backend.setter
    def op_by_op_backend(self, backend: OpByOpBackend) -> None:
        self._op_by_op_backend = backend

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
        return self._op_by_op_backend
