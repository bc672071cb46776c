# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An export that an earlier night made, found by the content of the loaded model and its call.

To trace a model takes most of a night in which nothing has changed. What comes of it is a function
of the loaded model and its call (`model_digest`), of all Python that they may run
(`builds.sources`, `builds.code`) and of what holds for the process. A model is loaded every time;
of an export is kept what is needed where the lowering is kept too: the digest of the program, its
text, and which of the model's tensors it takes. Where the graph itself is asked for, the model is
exported then.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from torch.export import ExportedProgram

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.builds.code import lowering_code
from bringup.harness.builds.sources import all_sources
from bringup.harness.config import CompilerConfig
from bringup.harness.dense import as_bytes, from_bytes
from bringup.harness.errors import HarnessError, RecordError
from bringup.harness.frontend.entry import MODEL, Entry
from bringup.harness.frontend.exported_digest import UnwrittenError, digest_of, settings
from bringup.harness.frontend.program import Constant
from bringup.harness.frontend.torch_program import constants_of
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Stage, StageResult, Status
from bringup.harness.records.values import RECHECKED

_LARGEST_MADE = 1 << 20
"""Bytes of tensors that a model's forward makes, above which an export is not kept."""


class StaleExportError(HarnessError):
    """A model is not exported any more to what was kept of an earlier night, and was taken."""


@dataclass(frozen=True)
class Loading:
    """What a tester knows of its model before it is exported."""

    key: str
    """A digest of all that an export depends on."""
    within: Callable[[], contextlib.AbstractContextManager[object]]
    """Where the model may be traced, now and later: it is put back afterwards."""
    golden: Callable[[], Any]
    """What the model gives in eager mode; asked for when outputs are there to be restored."""
    asked: Callable[[], bool]
    """Has the model asked for something that is not in the key, as in which flow it is?"""


class _Tensor(msgspec.Struct, frozen=True):
    """Of the tensors that belong to a model, one that the program takes."""

    name: str
    parameter: bool
    attribute: str = ""
    """Its path among `Entry.attributes`, of what is neither parameter nor buffer."""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    made: bytes | None = None
    """The values, of one that forward makes."""


class Exported(msgspec.Struct, frozen=True):
    """What is kept of an export."""

    program: str
    """`exported_digest.digest_of` the program."""
    text: bytes
    tensors: tuple[_Tensor, ...]
    found: dict[str, str]
    beside: tuple[str, ...]
    uncompared: tuple[str, ...]
    outline: str
    """A digest of the result's structure."""
    names: tuple[str, ...] | None
    """Of a training step's results; None of a model that is evaluated."""
    run: str
    """The id of the run that exported."""
    exported: float
    """When, in seconds since the epoch."""

    def same(self, other: "Exported") -> bool:
        """Is another export of the same model the same?

        Texts are not compared: they count the sources that PyTorch writes, as the digest does not.
        """
        names = {*self.__struct_fields__} - {"run", "exported", "text"}
        return all(getattr(self, name) == getattr(other, name) for name in names)


def key_of_model(model: str, about: object, config: CompilerConfig) -> str:
    """The key of an export; empty where nobody knows all that it depends on.

    Args:
        model: digest of the model and its call.
        about: whatever else a tester knows to decide it.
        config: of which only whether constants are folded matters.
    """
    sources = all_sources()
    if not sources:
        return ""
    whole = (model, about, config.enable_consteval, settings(), sources, lowering_code())
    try:
        return key_of("exported", whole)
    except (RecordError, TypeError, ValueError):
        return ""


def key_of_graph(graph: str, call: str, config: CompilerConfig) -> str:
    """The key of the export of a graph of dynamo's, whose digest this is, and that of its call.

    No source of anybody's own counts: what such a graph calls is PyTorch's.
    """
    whole = (graph, call, config.enable_consteval, settings(), lowering_code())
    try:
        return key_of("exported graph", whole)
    except (RecordError, TypeError, ValueError):
        return ""


@dataclass(frozen=True)
class Made:
    """What an export gave."""

    program: ExportedProgram
    text: str
    names: tuple[str, ...] | None
    """Of a training step's results."""


class CachedExport:
    """The place of one export among those that are kept."""

    def __init__(self, loading: Loading, recorder: TestRecorder) -> None:
        self._key, self._asked = loading.key, loading.asked
        self._recorder = recorder
        self._builds = BuildCache(recorder)
        self._before = self._builds.get(self._key, Exported)
        self.confirmed = False
        """Has the model been exported since, to what was kept?"""

    def find(self) -> Exported | None:
        """What was kept; None: the model is to be exported."""
        return None if self._builds.audits(self._key) else self._before

    def checked(
        self, export: Callable[[], ExportedProgram], config: CompilerConfig
    ) -> ExportedProgram:
        """An export of a model whose kept one was taken: the same program.

        Raises:
            StaleExportError: it is another, or none; nothing is kept any more.
        """
        assert self._before is not None
        try:
            exported = export()
            self.confirmed = self._before.program == digest_of(
                exported, values=config.enable_consteval
            )
        except Exception as error:  # whatever a model raises that is traced
            self._builds.forget(self._key)
            raise StaleExportError(self._stale()) from error
        if not self.confirmed:
            self._builds.forget(self._key)
            raise StaleExportError(self._stale())
        return exported

    def _stale(self) -> str:
        assert self._before is not None
        return (
            f"the export kept of run {self._before.run} is not what the same model is exported to"
            " now; it is exported anew"
        )

    def audited(self) -> dict[str, str]:
        """What is said of an export that is made although it is kept."""
        return {RECHECKED: self._before.run} if self._before is not None else {}

    def record(self, found: Exported) -> None:
        """Have the EXPORT stage on record, as the run that exported left it."""
        text = self._recorder.run.artifacts.put(found.text, "torch_fx")
        result = StageResult(stage=Stage.EXPORT, ok=True, artifacts=(text,))
        self._recorder.take_cached([(result, Status.CREATED_GRAPH)], found.run)

    def keep(self, entry: Entry, made: Made, config: CompilerConfig) -> None:
        """Keep an export, before anything is made of the program; another than was kept is said."""
        try:
            now = self._entry(entry, made, config)
        except (HarnessError, AttributeError, KeyError, RuntimeError, TypeError, ValueError):
            now = None  # of whatever kind its tensors are
        before = self._before
        if before is not None and now is not None and not now.same(before):
            self._recorder.warn(
                f"the export kept of run {before.run} is not what the same model is exported to"
                " now; what was kept is replaced"
            )
        if now is None:
            self._builds.forget(self._key)
        else:
            self._builds.put(self._key, now)

    def _entry(self, entry: Entry, made: Made, config: CompilerConfig) -> Exported | None:
        if entry.extracted or self._asked():
            return None
        held = _named(entry)
        found = constants_of(made.program).values()
        tensors = tuple(_kept(each, held, entry.attributes) for each in found)
        if sum(len(each.made or b"") for each in tensors) > _LARGEST_MADE:
            return None
        return Exported(
            program=digest_of(made.program, values=config.enable_consteval),
            text=made.text.encode("utf-8", "surrogateescape"),
            tensors=tensors,
            found={name: path for name, path in entry.places.items() if path in entry.attributes},
            beside=tuple(entry.beside),
            uncompared=tuple(entry.uncompared),
            outline=digest_of_outline(entry.outline),
            names=made.names,
            run=self._recorder.run.run_id,
            exported=time.time(),
        )


def digest_of_outline(outline: str) -> str:
    """Of the structure of a result, a sha256 in hex."""
    return hashlib.sha256(outline.encode("utf-8", "surrogateescape")).hexdigest()


def constants(found: Exported, entry: Entry) -> Mapping[str, Constant]:
    """What belongs to a loaded model of what its program takes, by name.

    Raises:
        UnwrittenError, AttributeError, ValueError: it is another model after all.
    """
    held = _named(entry)
    result = {}
    value: torch.Tensor | None
    for each in found.tensors:
        if each.made is not None:
            value = from_bytes(each.made, each.shape, each.dtype)
        else:
            value = entry.attributes.get(each.attribute) if each.attribute else held.get(each.name)
        if value is None:
            raise UnwrittenError(f"the model has no {each.attribute or each.name}")
        result[each.name] = Constant(each.name, value.detach(), parameter=each.parameter)
    return result


def _kept(
    constant: Constant, held: Mapping[str, torch.Tensor], attributes: Mapping[str, torch.Tensor]
) -> _Tensor:
    """How a later entry of the same model finds a tensor again.

    Raises:
        UnwrittenError: by nothing that is kept.
    """
    if _is_same(held.get(constant.name), constant.value):
        return _Tensor(constant.name, constant.parameter)
    for path, value in attributes.items():
        if _is_same(value, constant.value):
            return _Tensor(constant.name, constant.parameter, attribute=path)
    value = constant.value
    if constant.parameter or type(value) is not torch.Tensor or value.layout is not torch.strided:
        raise UnwrittenError(f"{constant.name} is nowhere in the model")
    if not value.is_contiguous() or value.is_conj() or value.is_neg() or value.device.type != "cpu":
        raise UnwrittenError(f"{constant.name} lies otherwise than its values say")
    dtype = str(value.dtype).removeprefix("torch.")
    made = as_bytes(value).numpy().tobytes()
    return _Tensor(constant.name, False, shape=tuple(value.shape), dtype=dtype, made=made)


def _named(entry: Entry) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {
        **dict(entry.named_parameters(remove_duplicate=False)),
        **dict(entry.named_buffers(remove_duplicate=False)),
    }
    return {name.removeprefix(MODEL): value for name, value in found.items()}


def _is_same(one: torch.Tensor | None, other: torch.Tensor) -> bool:
    if one is None or one.shape != other.shape or one.stride() != other.stride():
        return False
    if one.dtype != other.dtype or one.device != other.device:
        return False
    return one.numel() == 0 or one.data_ptr() == other.data_ptr()
