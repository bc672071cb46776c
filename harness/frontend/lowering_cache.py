# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A lowering that an earlier test, shard or night did, found by the exported program's content.

A model is loaded and exported every time; what follows is a function of the program that comes of
it (`exported_digest`), of the settings that lower it, and of the code that does (`builds.code`).
Of a lowering the artifact is kept, its texts, and how a call maps onto it; no value of a weight is,
so that programs with weights inside are not. Neither is a lowering that failed.
"""

import enum
import time
from collections.abc import Sequence

import msgspec
import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.builds.code import lowering_code
from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.errors import RecordError
from bringup.harness.frontend.entry import Entry
from bringup.harness.frontend.exported_digest import (
    UnwrittenError,
    decompositions,
    digest_of,
    settings,
)
from bringup.harness.frontend.program import Constant, Mutation, Result, Signature, UserInput
from bringup.harness.frontend.refusals import ExportRefusal
from bringup.harness.frontend.torch_program import constant_of
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.values import RECHECKED, StageResult, Status

_Literal = None | bool | int | float | str


class _Argument(msgspec.Struct, frozen=True):
    """A constant, by its name; or an input, by its place in the flattened call."""

    name: str
    leaf: int | None = None
    shape: tuple[int, ...] = ()
    dtype: str = ""


class _Stage(msgspec.Struct, frozen=True):
    result: StageResult
    status: int
    texts: tuple[bytes, ...]
    """Of the result's artifacts, in their order."""


class Lowered(msgspec.Struct, frozen=True):
    """What is kept of a lowering."""

    artifact: bytes
    random: str | None
    arguments: tuple[_Argument, ...]
    results: tuple[tuple[int | None, _Literal, bool], ...]
    mutations: tuple[tuple[str, int, bool], ...]
    stages: tuple[_Stage, ...]
    run: str
    """The id of the run that lowered."""
    computed: float
    """When, in seconds since the epoch."""

    def signature(self, exported: ExportedProgram) -> Signature:
        """As the lowering left it, with the weights of an export of the same program."""
        constants = _constants(exported)
        return Signature(
            arguments=tuple(_argument(each, constants) for each in self.arguments),
            results=tuple(Result(*each) for each in self.results),
            mutations=tuple(Mutation(*each) for each in self.mutations),
        )

    def same(self, other: "Lowered") -> bool:
        """Is another lowering of the same program the same?

        Texts are compared and not artifacts, which say by number where a line came from.
        """
        names = ("random", "arguments", "results", "mutations")
        texts = self.stages[-1].texts == other.stages[-1].texts
        return texts and all(getattr(self, name) == getattr(other, name) for name in names)


class CachedLowering:
    """The place of one lowering among those that are kept."""

    def __init__(self, key: str, exported: ExportedProgram, recorder: TestRecorder) -> None:
        self._key = key
        self._exported = exported
        self._recorder = recorder
        self._builds = BuildCache(recorder)
        self._before = self._builds.get(key, Lowered)

    def take(self) -> tuple[Lowered, Signature] | None:
        """What was kept, its stages being on record then; None: it is to be lowered."""
        before = self._before
        if before is None or self._builds.audits(self._key):
            return None
        try:
            signature = before.signature(self._exported)
        except (KeyError, AttributeError, ValueError):  # of a program that is otherwise after all
            self._builds.forget(self._key)
            return None
        store = self._recorder.run.artifacts
        results = []
        for stage in before.stages:
            pairs = zip(stage.result.artifacts, stage.texts, strict=False)
            kept = tuple(store.put(text, artifact.level) for artifact, text in pairs)
            result = msgspec.structs.replace(stage.result, artifacts=kept)
            results.append((result, Status(stage.status)))
        self._recorder.take_cached(results, before.run)
        return before, signature

    def audited(self) -> dict[str, str]:
        """What is said of the first stage of a lowering that is done although it is kept."""
        return {RECHECKED: self._before.run} if self._before is not None else {}

    def keep(
        self,
        artifact: bytes,
        signature: Signature,
        random: str | None,
        results: Sequence[tuple[StageResult, Status]],
    ) -> None:
        """Keep a lowering whose stages are `results`; another than was kept is said."""
        try:
            now = self._entry(artifact, signature, random, results)
        except RecordError:  # a text of this run is lost already; the run says so itself
            now = None
        if self._before is not None and now is not None and not now.same(self._before):
            self._recorder.warn(
                f"the lowering kept of run {self._before.run} is not what the same program is"
                " lowered to now; what was kept is replaced"
            )
        if now is None:
            self._builds.forget(self._key)
        else:
            self._builds.put(self._key, now)

    def _entry(
        self,
        artifact: bytes,
        signature: Signature,
        random: str | None,
        results: Sequence[tuple[StageResult, Status]],
    ) -> Lowered | None:
        try:
            constants = _constants(self._exported)
        except (KeyError, ExportRefusal):
            return None
        literals = [result.literal for result in signature.results]
        if not all(type(each) in (type(None), bool, int, float, str) for each in literals):
            return None
        for argument in signature.constants:  # none was folded, or has another's name
            before = constants.get(argument.name)
            if before is None or not _one(before, argument):
                return None
        store = self._recorder.run.artifacts
        return Lowered(
            artifact=artifact,
            random=random,
            arguments=tuple(map(_named, signature.arguments)),
            results=tuple((r.index, r.literal, r.computed) for r in signature.results),
            mutations=tuple((m.path, m.index, m.computed) for m in signature.mutations),
            stages=tuple(
                _Stage(
                    msgspec.structs.replace(result, attributes=_plain(result.attributes)),
                    int(status),
                    tuple(store.get(artifact) for artifact in result.artifacts),
                )
                for result, status in results
            ),
            run=self._recorder.run.run_id,
            computed=time.time(),
        )


def cached_lowering(
    entry: Entry, exported: ExportedProgram, config: CompilerConfig, recorder: TestRecorder
) -> CachedLowering | None:
    """Where a lowering is kept; None for one that is not."""
    if _says_more(config):
        return None
    try:
        _constants(exported)
        key = key_of(
            "lowered",
            (
                digest_of(exported),
                settings(),
                _settings_of(config),
                (entry.places, entry.beside, entry.sharing),
                decompositions(),
                lowering_code(),
            ),
        )
    except (UnwrittenError, ExportRefusal, RecordError, KeyError, TypeError, ValueError):
        return None
    return CachedLowering(key, exported, recorder)


def _says_more(config: CompilerConfig) -> bool:
    """Does a lowering leave something else than its artifact, or put weights into it?"""
    inlined = config.inline_parameters or config.enable_consteval or config.consteval_parameters
    printed = bool(config.ir_log_level or config.save_mlir)
    return inlined or printed or config.stops_at_graph or config.compile_depth.op_by_op


def _settings_of(config: CompilerConfig) -> dict[str, object]:
    found = config.to_dict()
    if config.compile_depth.compiles:
        found["compile_depth"] = CompileDepth.EXECUTE.name
    return {name: v.name if isinstance(v, enum.Enum) else v for name, v in found.items()}


def _constants(exported: ExportedProgram) -> dict[str, Constant]:
    """What belongs to the model, by the names that `signature_of` gives; not two of one name.

    Raises:
        KeyError: two have one name.
    """
    kinds = (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR)
    specs = [spec for spec in exported.graph_signature.input_specs if spec.kind in kinds]
    found = {constant.name: constant for constant in (constant_of(exported, s) for s in specs)}
    if len(found) < len(specs):
        raise KeyError("two constants of one name")
    return found


def _one(one: Constant, other: Constant) -> bool:
    if one.parameter != other.parameter or one.value.dtype != other.value.dtype:
        return False
    same = one.value.data_ptr() == other.value.data_ptr()
    layout = one.value.shape == other.value.shape and one.value.stride() == other.value.stride()
    return layout and (same or torch.equal(one.value, other.value))


def _named(argument: UserInput | Constant) -> _Argument:
    if isinstance(argument, Constant):
        return _Argument(argument.name)
    return _Argument(argument.name, argument.leaf, argument.shape, _name_of(argument.dtype))


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _argument(kept: _Argument, constants: dict[str, Constant]) -> UserInput | Constant:
    if kept.leaf is None:
        return constants[kept.name]
    return UserInput(kept.leaf, kept.name, kept.shape, getattr(torch, kept.dtype))


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in attributes.items() if name != RECHECKED}
