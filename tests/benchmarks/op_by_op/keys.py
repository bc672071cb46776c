# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A cache asked for mutated ops: what is another op must miss, what is the same must hit.

The ops and their mutations are those of `tests/unit/drawn_ops.py`; a mutation changes one
thing of what an op computes, or of device, descriptor, versions, flags and depth around it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bringup.harness.mlir import TorchMlir
from bringup.harness.op_by_op.cache_key import Basis
from bringup.harness.ops.identity import stablehlo_op, torch_op
from bringup.harness.records.schema import Op, OpVerdict, Status
from bringup.harness.records.verdicts.cache import VerdictCache
from tests.benchmarks.figures import Figure
from tests.unit.drawn_ops import Choice, drawn, mutated
from tests.unit.drawn_stablehlo import STABLEHLO, Cosmetics, meaning, operation_of
from tests.unit.drawn_torch import TORCH

SEED = 11
_AROUND = 0.15
"""Share of the mutations that leave the op and change what is around it."""


@dataclass(frozen=True)
class Around:
    """What a verdict depends on beside its op."""

    device: str = "cpu"
    descriptor: str = ""
    versions: dict[str, str] = field(
        default_factory=lambda: {"torch": "2", "torch-mlir": "1", "jaxlib": "0", "bringup": "0"}
    )
    flags: dict[str, str] = field(default_factory=lambda: {"optimization": "1"})
    depth: str = "execute"

    def mutated(self, rng: random.Random) -> "Around":
        """The same with one thing changed."""
        name = rng.choice(["device", "descriptor", "version", "flag", "depth"])
        if name == "version":
            chosen = rng.choice(sorted(self.versions))
            return replace(self, versions={**self.versions, chosen: f"{rng.random()}"})
        if name == "flag":
            return replace(self, flags={**self.flags, rng.choice("ab"): f"{rng.random()}"})
        if name == "device":
            return replace(self, device=rng.choice(["n150", "iree-cpu", "cuda"]))
        if name == "descriptor":
            return replace(self, descriptor=f"{rng.random()}")
        return replace(self, depth="compile")

    def key(self, op: Op) -> str:
        """The cache's key for an op here."""
        given = (self.device, self.descriptor, self.versions, self.flags, self.depth)
        return Basis(*given).key(op)


@dataclass(frozen=True)
class Drawn:
    """One op of a family, in words."""

    source: str
    family: str
    choice: Choice

    def mutated(self, rng: random.Random) -> "Drawn":
        """The same with one thing changed."""
        return replace(
            self, choice=mutated(rng, self.choice, _families(self.source)[self.family][1])
        )

    def __str__(self) -> str:
        counts = meaning(self.family, self.choice) if self.source == "stablehlo" else self.choice
        return f"{self.source} {self.family} {counts}"


class Keys:
    """Draws ops and asks a real cache."""

    def __init__(self, folder: Path) -> None:
        self._rng = random.Random(SEED)
        self._cache = VerdictCache(folder / "verdicts.sqlite")
        self._mlir = TorchMlir()
        self.wrong = 0
        """Answers that were another op's."""
        self.missed = 0
        """Ops that were there under other names and not found."""

    def take(self) -> None:
        """Keep a drawn op's verdict; ask for a mutation of it, then for itself respelled."""
        source = self._rng.choice(("stablehlo", "torch"))
        family = self._rng.choice(sorted(_families(source)))
        one = Drawn(source, family, drawn(self._rng, _families(source)[family][1]))
        around = Around()
        self._keep(one, around)
        if self._rng.random() < _AROUND:
            self._ask(one, around.mutated(self._rng))
        else:
            self._ask(one.mutated(self._rng), around)
        self.missed += not self._ask(one, around)

    def _keep(self, one: Drawn, around: Around) -> None:
        op = self._op(one)
        verdict = OpVerdict(
            op=op, device=around.device, status=Status.EXECUTED, origin=f"{one} {around}"
        )
        self._cache.put(around.key(op), verdict)

    def _ask(self, one: Drawn, around: Around) -> bool:
        found = self._cache.get(around.key(self._op(one)))
        self.wrong += found is not None and found.origin != f"{one} {around}"
        return found is not None

    def _op(self, one: Drawn) -> Op:
        if one.source == "torch":
            return torch_op(TORCH[one.family][0](one.choice, self._rng))
        text = STABLEHLO[one.family][0](one.choice, Cosmetics(self._rng))
        _module, operation = operation_of(self._mlir, text)
        return stablehlo_op(operation)


def _families(source: str) -> Mapping[str, Any]:
    return STABLEHLO if source == "stablehlo" else TORCH


def measure(folder: Path, mutations: int) -> list[Figure]:
    """`wrong_hits` and `missed_hits`."""
    keys = Keys(folder)
    for _ in range(mutations):
        keys.take()
    text = f"{mutations} mutations of drawn ops and what is around them, asked of a real cache"
    respelled = f"{mutations} ops kept and asked for again under other names and locations"
    return [
        Figure("wrong_hits", keys.wrong, "", "== 0", text),
        Figure("missed_hits", keys.missed, "", "== 0", respelled),
    ]
