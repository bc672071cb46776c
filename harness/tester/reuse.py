# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the same test on another device, or in another flow, already did in this process.

A model is loaded, exported and lowered once for all devices and flows: export and decomposition
take most of a test's time, and nothing of them depends on the device; a flow only decides how far
a model is lowered. Only the last test is remembered, so at most one model stays in memory, and only
for the same place of the same test: its n-th tester, of the same class, arguments, attributes and
settings, whose code reads the same variables of its module, in a process that is set alike. A
tester whose arguments cannot be told apart from others, or that was loaded before its flow began,
has no key, and shares nothing. One that asks for the device while it loads shares nothing either,
and one that asks for the flow, while it loads or while its forward is traced, with its own flow.
"""

import contextlib
import ctypes
import gc
import inspect
from dataclasses import dataclass
from typing import Any

import psutil

from bringup.harness.config import CompileDepth, CompilerConfig, Setting
from bringup.harness.frontend.lowering import Program
from bringup.harness.records.schema import Stage, StageResult, Status
from bringup.harness.session import current
from bringup.harness.state.loaded import Loaded
from bringup.harness.tester.compiled_graphs import CompiledGraphs
from bringup.harness.tester.golden import Golden

_LITTLE = 1536 << 20
"""Bytes of a process up to which its models are left to the interpreter's own collector: to search
all that is left of one for cycles takes a third of a second."""
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
    loaded: Loaded
    golden: Golden | None
    program: Program
    results: list[tuple[StageResult, Status]]
    export_key: str = ""
    """Of the loaded model, as `export_cache` has it; empty where nobody knows it."""
    flow: Key | None = None
    """The only flow it is for, of one whose loading asked which it is; None: for all."""
    graphs: CompiledGraphs | None = None
    """Of a model that Python steers, what dynamo has traced of it."""

    def serves(self, config: CompilerConfig) -> bool:
        """Is it for this flow, and lowered far enough, or to be lowered further?"""
        if self.flow not in (None, flow_of(config)):
            return False
        if self.graphs is not None:
            return True
        if config.compile_depth is CompileDepth.TORCH_FX:
            return True
        has_graph = self.program.make_graph is not None
        return has_graph or (self.program.artifact is not None and not config.stops_at_graph)

    def results_for(self, config: CompilerConfig) -> list[tuple[StageResult, Status]]:
        """What is there of the stages that a flow has; without those that are to be done anew."""
        last = Stage.STABLEHLO
        if config.compile_depth is CompileDepth.TORCH_FX:
            last = Stage.EXPORT
        elif config.stops_at_graph:
            last = Stage.DECOMPOSE if self.program.has_graph else Stage.EXPORT
        wanted = FRONT_END[: FRONT_END.index(last) + 1]
        return [each for each in self.results if each[0].stage in wanted]


def key_of(test: Key, config: CompilerConfig) -> Key:
    """Equal keys mean: the same code would load the same model again, and lower it as far as its
    flow says.

    `test` says which test of which run it is, without its device and its flow.
    """
    settings = {
        name: repr(getattr(config, name))
        for name in dir(type(config))
        if isinstance(getattr(type(config), name), Setting) and name != "compile_depth"
    }
    # Weights inside are in no graph, and what a lowering prints and writes is for each flow.
    own_lowering = config.inline_parameters or bool(config.ir_log_level or config.save_mlir)
    return (*test, flow_of(config) if own_lowering else None, *settings.items())


def own_settings(config: CompilerConfig) -> dict[str, Any]:
    """What a config holds beside its settings, and which decides no flow."""
    named = {n for n in dir(type(config)) if isinstance(getattr(type(config), n), Setting)}
    return {n: v for n, v in vars(config).items() if n not in named | _FLOW}


_FLOW = frozenset({"compile_depth", "_op_by_op_backend", "_flow_asked"})
"""What a config holds that says which flow it is."""


def flow_of(config: CompilerConfig) -> Key:
    """What lowers a model as far, and loads it the same where loading asks which flow it is."""
    depth = config.compile_depth
    if depth.op_by_op:
        return (depth, config.op_by_op_backend)
    return (CompileDepth.EXECUTE if depth.compiles else depth,)


_NOT_LOADED = frozenset(
    {
        *("compiler_config", "record_property_handle", "device", "issue", "model_group"),
        *("is_token_output", "required_pcc", "required_atol", "relative_atol"),
        *("required_relative_l2", "assert_pcc", "assert_atol", "assert_allclose"),
        *("assert_relative_l2", "assert_exact", "assert_tokens", "forge_models_test", "backend"),
        *("devices", "model_info"),
    }
)
"""Arguments of a tester that decide nothing of what is loaded, or that are in its key anyway."""


def loading_arguments(
    tester: type, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, object]:
    """Arguments by name, a subclass's own included, that may decide what a tester loads."""
    bound = inspect.signature(tester.__init__).bind(None, *args, **kwargs)  # type: ignore[misc]
    named: dict[str, object] = {}
    for name, value in [*bound.arguments.items()][1:]:
        kind = bound.signature.parameters[name].kind
        named |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
    return {
        name: value
        for name, value in named.items()
        if name not in _NOT_LOADED and not isinstance(value, CompilerConfig)
    }


def front_end_results(
    results: list[tuple[StageResult, Status]],
) -> list[tuple[StageResult, Status]]:
    """The stages among a test's that its other devices share."""
    return [r for r in results if r[0].stage in FRONT_END and r[0].ok]


class LastTest:
    """The last test's work, of the session that it ran in."""

    def __init__(self) -> None:
        self._kept: Kept | None = None

    def take(self, key: Key | None, config: CompilerConfig) -> Kept | None:
        """It, if it fits; anything else is dropped before the next model loads.

        What the test did to the model meanwhile is undone; where it cannot be, nothing is shared.
        """
        kept = self._kept
        fits = kept is not None and kept.key == key and kept.serves(config)
        if kept is not None and not (fits and kept.loaded.restored()):
            self.drop()
            _return_memory()
        return self._kept

    def drop(self) -> None:
        """Have nothing to share."""
        if self._kept is not None and self._kept.graphs is not None:
            self._kept.graphs.release()
        self._kept = None

    def keep(self, work: Kept) -> None:
        """Remember a test's front-end work."""
        work.loaded.mark()
        self._kept = work

    def add_results(self, key: Key | None, results: list[tuple[StageResult, Status]]) -> None:
        """Remember what else of the front end has been done, once it was."""
        if self._kept is not None and self._kept.key == key:
            known = {result.stage for result, _ in self._kept.results}
            more = front_end_results(results)
            self._kept.results += [each for each in more if each[0].stage not in known]

    def add_golden(self, key: Key | None, golden: Golden) -> None:
        """Remember the golden too, once somebody computed it."""
        if self._kept is not None and self._kept.key == key:
            self._kept.golden = golden


def last_test() -> LastTest:
    """This session's."""
    return current().get(LastTest)


def _return_memory() -> None:
    """Give the dropped model's memory back before the next one loads, if there is much of it."""
    if psutil.Process().memory_info().rss < _LITTLE:
        return
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)
