# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A lowering that an earlier test, shard or night did, found by the exported program's content.

A model is loaded and exported every time; what follows is a function of the program that comes of
it (`exported_digest`), of the settings that lower it, and of the code that does (`builds.code`).
Of a lowering the artifact is kept, its texts, and how a call maps onto it. Where constants are
folded (`enable_consteval`), what they are computed from is in the key by its values, and what they
came to is in the entry (masks, positions: as large as a small weight). No value of a parameter is,
so that programs with weights inside, or folded, are not kept. Neither is a lowering that failed.
"""

import enum
import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import torch
from torch.export import ExportedProgram

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.builds.code import lowering_code, onnx_code
from bringup.harness.config import CompileDepth, CompilerConfig
from bringup.harness.dense import as_bytes, from_bytes
from bringup.harness.errors import RecordError
from bringup.harness.frontend.consteval import FOLDED
from bringup.harness.frontend.entry import Entry
from bringup.harness.frontend.exported_digest import (
    UnwrittenError,
    decompositions,
    digest_of,
    settings,
)
from bringup.harness.frontend.program import Constant, Mutation, Result, Signature, UserInput
from bringup.harness.frontend.refusals import ExportRefusal
from bringup.harness.frontend.torch_program import constants_of
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.values import RECHECKED, Stage, StageResult, Status

if TYPE_CHECKING:
    import onnx

_Literal = None | bool | int | float | str


_LARGEST_FOLDED = 64 << 20
"""Bytes of folded constants above which a lowering is not kept."""


class _Argument(msgspec.Struct, frozen=True):
    """A constant, by its name; an input, by its place in the flattened call; or what was folded."""

    name: str
    leaf: int | None = None
    shape: tuple[int, ...] = ()
    dtype: str = ""
    folded: bytes | None = None
    """The values of what was folded, as they lie in memory, row by row."""


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

    def signature(self, constants: Mapping[str, Constant]) -> Signature:
        """As the lowering left it, with the weights of an export of the same program, by name."""
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


@dataclass(frozen=True)
class Content:
    """What a program is lowered from."""

    key: str
    """A digest of all that the lowering depends on."""
    constants: Mapping[str, Constant]
    """What belongs to the model, by name; the values of parameters are not in the key."""


class CachedLowering:
    """The place of one lowering among those that are kept."""

    def __init__(self, content: Content, recorder: TestRecorder) -> None:
        self._key, self._constants = content.key, content.constants
        self._recorder = recorder
        self._builds = BuildCache(recorder)
        self._before = self._builds.get(self._key, Lowered)

    def find(self) -> tuple[Lowered, Signature] | None:
        """What was kept; None: it is to be lowered."""
        before = self._before
        if before is None or self._builds.audits(self._key):
            return None
        try:
            return before, before.signature(self._constants)
        except (KeyError, AttributeError, ValueError):  # of a program that is otherwise after all
            self._builds.forget(self._key)
            return None

    def take(self, known: Collection[Stage] = ()) -> tuple[Lowered, Signature] | None:
        """As `find`, the stages being on record then; those that are `known` are there already."""
        found = self.find()
        if found is None:
            return None
        before = found[0]
        store = self._recorder.run.artifacts
        results = []
        for stage in before.stages:
            if stage.result.stage in known:
                continue
            pairs = zip(stage.result.artifacts, stage.texts, strict=False)
            kept = tuple(store.put(text, artifact.level) for artifact, text in pairs)
            result = msgspec.structs.replace(stage.result, artifacts=kept)
            results.append((result, Status(stage.status)))
        self._recorder.take_cached(results, before.run)
        return found

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
        constants = self._constants
        literals = [result.literal for result in signature.results]
        if not all(type(each) in (type(None), bool, int, float, str) for each in literals):
            return None
        folded = 0
        for argument in signature.constants:
            before = constants.get(argument.name)
            if before is None and _is_folded(argument):
                folded += argument.value.nbytes
            elif before is None or not _one(before, argument):  # it has another's name
                return None
        if folded > _LARGEST_FOLDED:
            return None
        store = self._recorder.run.artifacts
        return Lowered(
            artifact=artifact,
            random=random,
            arguments=tuple(_named(each, constants) for each in signature.arguments),
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


def content_of(entry: Entry, exported: ExportedProgram, config: CompilerConfig) -> Content | None:
    """What the lowering of an exported program is kept under; None for one that is not."""
    try:
        constants = constants_of(exported)
        program = digest_of(exported, values=config.enable_consteval)
    except (UnwrittenError, ExportRefusal, KeyError, TypeError, ValueError):
        return None
    return content_as(entry, program, constants, config)


def content_as(
    entry: Entry, program: str, constants: Mapping[str, Constant], config: CompilerConfig
) -> Content | None:
    """As `content_of`, of a program that has this digest and takes these tensors of the model."""
    if _says_more(config):
        return None
    try:
        key = key_of(
            "lowered",
            (
                program,
                settings(),
                _settings_of(config),
                (entry.places, entry.beside, entry.sharing),
                decompositions(),
                lowering_code(),
            ),
        )
    except (UnwrittenError, RecordError, TypeError, ValueError):
        return None
    return Content(key, constants)


def onnx_content(
    prepared: "onnx.ModelProto", signature: Signature, config: CompilerConfig
) -> Content | None:
    """What the lowering of a prepared ONNX model is kept under; None for one that is not.

    Its weights are arguments; what is left inside, shapes and axes, is in the key with the graph.
    """
    if _says_more(config):
        return None
    try:
        key = key_of(
            "lowered onnx",
            (
                hashlib.sha256(prepared.SerializeToString(deterministic=True)).hexdigest(),
                [(each.name, str(each.dtype), each.shape) for each in _inputs(signature)],
                _settings_of(config),
                onnx_code(),
            ),
        )
    except (RecordError, TypeError, ValueError):
        return None
    constants = {constant.name: constant for constant in signature.constants}
    return Content(key, constants)


def _inputs(signature: Signature) -> list[UserInput]:
    return [each for each in signature.arguments if isinstance(each, UserInput)]


def _says_more(config: CompilerConfig) -> bool:
    """Does a lowering leave something else than its artifact, or put weights into it?"""
    inlined = config.inline_parameters or config.consteval_parameters
    printed = bool(config.ir_log_level or config.save_mlir)
    return inlined or printed


def _settings_of(config: CompilerConfig) -> dict[str, object]:
    found = config.to_dict()
    if config.compile_depth.compiles or config.compile_depth.op_by_op:  # all that get so far
        found["compile_depth"] = CompileDepth.EXECUTE.name
        del found["op_by_op_backend"]
    return {name: v.name if isinstance(v, enum.Enum) else v for name, v in found.items()}


def _one(one: Constant, other: Constant) -> bool:
    if one.parameter != other.parameter or one.value.dtype != other.value.dtype:
        return False
    same = one.value.data_ptr() == other.value.data_ptr()
    layout = one.value.shape == other.value.shape and one.value.stride() == other.value.stride()
    return layout and (same or torch.equal(one.value, other.value))


def _is_folded(constant: Constant) -> bool:
    """Is it what `consteval` leaves, and nothing but its elements?"""
    value = constant.value
    plain = type(value) is torch.Tensor and value.layout is torch.strided
    return plain and value.device.type == "cpu" and constant.name.startswith(FOLDED)


def _named(argument: UserInput | Constant, constants: Mapping[str, Constant]) -> _Argument:
    if isinstance(argument, UserInput):
        return _Argument(argument.name, argument.leaf, argument.shape, _name_of(argument.dtype))
    if argument.name in constants:
        return _Argument(argument.name)
    value = argument.value.detach().resolve_conj().resolve_neg().contiguous()
    return _Argument(
        argument.name,
        shape=tuple(value.shape),
        dtype=_name_of(value.dtype),
        folded=as_bytes(value).numpy().tobytes(),
    )


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _argument(kept: _Argument, constants: Mapping[str, Constant]) -> UserInput | Constant:
    """What a kept argument stands for.

    Raises:
        KeyError, AttributeError, ValueError: it is none of this program.
    """
    if kept.leaf is not None:
        return UserInput(kept.leaf, kept.name, kept.shape, getattr(torch, kept.dtype))
    if kept.folded is None:
        return constants[kept.name]
    return Constant(kept.name, from_bytes(kept.folded, kept.shape, kept.dtype))


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in attributes.items() if name != RECHECKED}
