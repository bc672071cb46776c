# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The unique ops of a program, kept of an earlier walk over the same program.

To take a program apart (decompose a model, split a module) costs several times what looking its
ops up does. Where every op has a good verdict, their names are all that a walk needs.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
import torch

from bringup.harness.builds.build_cache import BuildCache, key_of
from bringup.harness.builds.code import lowering_code
from bringup.harness.errors import RecordError
from bringup.harness.frontend.lowering_cache import Content
from bringup.harness.ops.operand_values import fingerprint
from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.records.schema import Op


class KnownOp(msgspec.Struct, frozen=True):
    """An op, as a walk over its program met it."""

    op: Op
    count: int
    """How many of the program's are this op."""
    node: str
    """Name of the first of them."""
    origin: str = ""
    """Where its operands come from (`operand_values`), of an op whose values count."""


class KnownOps(msgspec.Struct, frozen=True):
    """All of a program's, in their order."""

    ops: tuple[KnownOp, ...]
    attributes: dict[str, str] = {}
    """Of the stage that made the program's graph."""
    run: str = ""
    """The id of the run that took the program apart."""


class OpList:
    """The place of one program's ops among those that are kept; none for one that is not."""

    def __init__(self, basis: object, recorder: TestRecorder) -> None:
        """`basis`: all that the ops, and where their operands come from, depend on, but the code;
        None of a program of which nobody knows that."""
        self._recorder = recorder
        self._builds = BuildCache(recorder)
        self._key = "" if basis is None else _key(basis)
        self._before = self._builds.get(self._key, KnownOps) if self._key else None

    def take(self) -> KnownOps | None:
        """What was kept; None where the program is to be taken apart."""
        return None if self._key and self._builds.audits(self._key) else self._before

    def keep(self, ops: Iterable[KnownOp], attributes: dict[str, str] | None = None) -> None:
        """Keep what a program was taken apart into; another list than was kept is said."""
        if not self._key:
            return
        now = KnownOps(tuple(ops), attributes or {}, self._recorder.run.run_id)
        before = self._before
        if before is not None and (before.ops, before.attributes) == (now.ops, now.attributes):
            return
        if before is not None:
            self._recorder.warn(
                f"the ops kept of run {before.run} are not those that the same program has now;"
                " what was kept is replaced"
            )
        self._builds.put(self._key, now)


def basis_of_graph(content: Content | None, arguments: Sequence[torch.Tensor]) -> object:
    """Of the ops of a decomposed graph: what the graph is made from, and its arguments' values."""
    if content is None:
        return None
    return "graph", content.key, [fingerprint(each) for each in arguments]


def basis_of_module(artifact: bytes) -> object:
    """Of the ops of a StableHLO module, which are given inputs that are drawn from their keys."""
    return "module", hashlib.sha256(artifact).hexdigest()


def _key(basis: object) -> str:
    try:
        return key_of("ops", (basis, lowering_code()))
    except RecordError:  # a library cannot be read: nobody knows what it does
        return ""
