# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How far ops got, whatever values they were given and whatever was asked of their numbers.

A verdict's key has tolerances and, of many ops, where their operands come from: another model's
`aten.log` is another question. But in which stage it ends is the same for both, so that is kept
under keys of its own, beside the verdicts and made of them: one for the op, and one for its kin,
the ops of the same name, dtypes, ranks and arguments but for sizes and numbers. Of kin it is kept
whether any got through and whether any did not.
"""

import re
from collections.abc import Mapping

import msgspec

from bringup.harness.devices.catalog import kind_of, versions
from bringup.harness.op_by_op.cache_key import Basis
from bringup.harness.records.schema import GOOD, Op, OpVerdict, Outcome, TensorType
from bringup.harness.records.verdicts.cache import VerdictCache

_NUMBERS = re.compile(r"-?\b\d+(\.\d+)?(e[-+]?\d+)?\b(,\s*-?\d+(\.\d+)?(e[-+]?\d+)?\b)*")
_THROUGH, _NOT_THROUGH = "kin that got through", "kin that did not"
_GOT_THROUGH = (*GOOD, Outcome.INCORRECT)


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


def _sizeless(value: TensorType) -> TensorType:
    return TensorType((-1,) * len(value.shape), value.dtype)


def got_through(verdict: OpVerdict) -> bool:
    """Did an op come as far as its device takes one, be its numbers right or wrong?"""
    return verdict.outcome in _GOT_THROUGH


class StageMemory:
    """What the verdict cache knows of the stages of a device's ops."""

    def __init__(
        self, cache: VerdictCache, device: str, options: Mapping[str, str], *, executes: bool
    ) -> None:
        """`options` are the device compiler's."""
        depth = "stage executed" if executes else "stage compiled"
        target = kind_of(device).target(device)
        self._basis = Basis(device, target, versions(), options, depth)
        self._cache = cache

    def note(self, verdict: OpVerdict) -> None:
        """Keep how far an op got."""
        short = _short(verdict)
        through = got_through(verdict)
        self._put(self._basis.key(verdict.op), short)
        kin = self._basis.key(kin_of(verdict.op), _THROUGH if through else _NOT_THROUGH)
        self._put(kin, short)

    def _put(self, key: str, short: OpVerdict) -> None:
        known = self._cache.get(key)
        if known is None or (known.status, known.outcome) != (short.status, short.outcome):
            self._cache.put(key, short)

    def exact(self, op: Op) -> OpVerdict | None:
        """How far this very op got; None where it was never tried."""
        return self._cache.get(self._basis.key(op))

    def kin(self, op: Op) -> OpVerdict | None:
        """How far its kin got; None where none was tried, or some got through and some did not."""
        key = kin_of(op)
        through = self._cache.get(self._basis.key(key, _THROUGH))
        not_through = self._cache.get(self._basis.key(key, _NOT_THROUGH))
        return through if not_through is None else (not_through if through is None else None)


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
