# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far ops got, whatever values they were given and whatever was asked of their numbers.

A verdict's key has tolerances and, of many ops, where their operands come from: another model's
`aten.log` is another question. But in which stage it ends is the same for both, so that is kept
under keys of its own, beside the verdicts and made of them. There are three kinds of key: the op;
its kin, the ops of the same name, dtypes, ranks and arguments but for sizes and numbers; and its
clan, the ops of the same name and dtypes, whatever their ranks and arguments. Of kin and clan a few
ops that got through are kept, and a few that did not.

What is expected of an op that was never tried is what became of its kin, if all of them ended
alike, else of its clan, if that was seen of `ENOUGH` different ones; else nothing is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from bringup.harness.devices.catalog import kind_of, versions
from bringup.harness.op_by_op.cache_key import Basis
from bringup.harness.records.predictions import By
from bringup.harness.records.schema import GOOD, Op, OpVerdict, Outcome, Status, TensorType

ENOUGH = 4
"""Ops of a clan that must have ended alike before another is expected to."""
_NUMBERS = re.compile(r"-?\b\d+(\.\d+)?(e[-+]?\d+)?\b(,\s*-?\d+(\.\d+)?(e[-+]?\d+)?\b)*")
_GOT_THROUGH = (*GOOD, Outcome.INCORRECT)


class Kept(Protocol):
    """Where verdicts are kept by key: `VerdictCache`, or anything like it."""

    def get(self, key: str) -> OpVerdict | None:
        """The verdict kept under a key."""

    def put(self, key: str, verdict: OpVerdict) -> object:
        """Keep one."""


@dataclass(frozen=True)
class Expected:
    """How far an op will get."""

    verdict: OpVerdict
    """Its own, or that of a relative which got least far."""
    by: By


def kin_of(op: Op) -> Op:
    """What an op has in common with those that differ from it in sizes and numbers alone."""
    return Op(
        key="",
        name=op.name,
        source=op.source,
        inputs=tuple(map(_sizeless, op.inputs)),
        outputs=tuple(map(_sizeless, op.outputs)),
        attributes={name: _NUMBERS.sub("#", text) for name, text in op.attributes.items()},
    )


def clan_of(op: Op) -> Op:
    """What an op has in common with those of its name that are of the same dtypes."""
    return Op(
        key="",
        name=op.name,
        source=op.source,
        inputs=tuple(TensorType((), dtype) for dtype in sorted({t.dtype for t in op.inputs})),
        outputs=tuple(TensorType((), dtype) for dtype in sorted({t.dtype for t in op.outputs})),
    )


def _sizeless(value: TensorType) -> TensorType:
    return TensorType((-1,) * len(value.shape), value.dtype)


def got_through(verdict: OpVerdict) -> bool:
    """Did an op come as far as its device takes one, be its numbers right or wrong?"""
    return verdict.outcome in _GOT_THROUGH


_RELATIVES: tuple[tuple[By, Callable[[Op], Op], int], ...] = (
    (By.KIN, kin_of, 1),
    (By.NAME, clan_of, ENOUGH),
)
"""How near, who they are, and how many of them are asked for."""


class StageMemory:
    """What a store of verdicts knows of the stages of a device's ops."""

    def __init__(
        self, kept: Kept, device: str, options: Mapping[str, str], *, executes: bool
    ) -> None:
        """`options` are the device compiler's."""
        depth = "stage executed" if executes else "stage compiled"
        target = kind_of(device).target(device)
        self._basis = Basis(device, target, versions(), options, depth)
        self._kept = kept

    def note(self, verdict: OpVerdict) -> None:
        """Keep how far an op got."""
        short = _short(verdict)
        before = self.exact(verdict.op)
        if before is not None and _end(before) == _end(short):
            return
        for by, relatives, asked in _RELATIVES:
            common = relatives(verdict.op)
            for through in (True, False):
                self._enter(
                    short, [self._key(common, by, i, through) for i in range(asked)], through
                )
        self._kept.put(self._basis.key(verdict.op), short)

    def _enter(self, short: OpVerdict, places: Sequence[str], through: bool) -> None:
        """Keep a verdict among those of its relatives that got through, or that did not.

        One that ended otherwise before is put in its own place there, where it counts no more.
        """
        belongs = got_through(short) is through
        for key in places:
            there = self._kept.get(key)
            same = there is not None and there.op.key == short.op.key
            free = there is None or got_through(there) is not through
            if same or (free and belongs):
                self._kept.put(key, short)
                return

    def exact(self, op: Op) -> OpVerdict | None:
        """How far this very op got; None where it was never tried."""
        return self._kept.get(self._basis.key(op))

    def expected(self, op: Op) -> Expected | None:
        """How far an op will get; None where too little is known of the likes of it."""
        if verdict := self.exact(op):
            return Expected(verdict, By.ITSELF)
        for by, relatives, asked in _RELATIVES:
            common = relatives(op)
            through, not_through = (self._those(common, by, asked, yes) for yes in (True, False))
            if through and not_through:
                return None  # its sizes or its numbers decide, and nobody knows how
            found = through or not_through
            if len(found) >= asked:
                return Expected(min(found, key=lambda one: one.status), by)
        return None

    def _those(self, common: Op, by: By, asked: int, through: bool) -> list[OpVerdict]:
        places = (self._kept.get(self._key(common, by, i, through)) for i in range(asked))
        return [one for one in places if one is not None and got_through(one) is through]

    def _key(self, common: Op, by: By, place: int, through: bool) -> str:
        return self._basis.key(
            common, f"{by} {place} {'got' if through else 'did not get'} through"
        )


def _end(verdict: OpVerdict) -> tuple[Status, Outcome]:
    return verdict.status, verdict.outcome


def _short(verdict: OpVerdict) -> OpVerdict:
    """What is kept of a verdict: no texts, no numbers."""
    failure = verdict.failure
    return OpVerdict(
        op=verdict.op,
        device=verdict.device,
        status=verdict.status,
        failure=msgspec.structs.replace(failure, diagnostic=None) if failure else None,
        outcome=verdict.outcome,
        fingerprint=verdict.fingerprint,
        origin=verdict.origin,
        computed=verdict.computed,
    )
