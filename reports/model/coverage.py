# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which ops fleet and sweep exercise, by dtypes and ranks, and what of it each device has seen.

A *use* is what an op is called and the dtypes and ranks of its operands: two uses may take other
ways through a compiler, two shapes of one use seldom do. On every device a use is one of

- covered: some op of it was looked at there, whatever came of it;
- excluded: wherever it was looked at it never got past the front end, which is the same for every
  device: another device would see nothing of it;
- pending: neither; the reason says what keeps it;
- unknown: an op that was found and never begun, so nobody knows what it is. There should be none.

Pure functions of `ModelOps`, and so of records.
"""

import enum
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bringup.harness.records.fingerprint import shown
from bringup.harness.records.outcomes import ATTENTION, is_good, is_wordless
from bringup.harness.records.schema import NOT_EVIDENCE, Op, OpResult, Outcome, Stage
from bringup.reports.model.op_results import failing_stage
from bringup.reports.model.ops import ModelOps
from bringup.reports.text.numbers import Share
from bringup.reports.text.untrusted import first_line

SWEEP = "op_sweep"
"""The model that the sweep's generated cases are records of."""
_FRONT_END = frozenset(
    {Stage.LOAD, Stage.EXPORT, Stage.DECOMPOSE, Stage.TORCH_IR, Stage.TORCH_BACKEND_IR}
    | {Stage.STABLEHLO}
)
_SHORT = {
    **{"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "bool": "i1"},
    **{f"{sign}int{bits}": f"{short}{bits}" for sign, short in (("", "i"), ("u", "u"))
       for bits in (4, 8, 16, 32, 64)},
}  # fmt: skip


class State(enum.Enum):
    """What a device has seen of a use."""

    COVERED = "covered"
    PENDING = "pending"
    EXCLUDED = "excluded"


@dataclass(frozen=True, order=True)
class Use:
    """A way in which an op is used."""

    name: str
    operands: tuple[tuple[str, int], ...]
    """Of every operand that is a tensor its dtype, shortened, and its rank."""

    @property
    def dtypes(self) -> str:
        """`f32, i64`."""
        return ", ".join(dtype for dtype, _ in self.operands)

    @property
    def ranks(self) -> str:
        """`4, 1`."""
        return ", ".join(str(rank) for _, rank in self.operands)


@dataclass(frozen=True)
class Seen:
    """What one device has seen of one use."""

    state: State
    outcome: Outcome | None = None
    """The worst of its ops; None unless it is covered."""
    why: str = ""
    """What keeps it; empty where it is covered."""

    @property
    def text(self) -> str:
        """`covered, PASSED`; `pending: no test of bert went op by op here`."""
        if self.outcome is not None:
            return f"{self.state.value}, {self.outcome.value}"
        return f"{self.state.value}: {self.why}"


@dataclass(frozen=True)
class UseRow:
    """One use over all devices."""

    use: Use
    of: frozenset[str]
    """Models of the fleet that have it."""
    nodes: int
    """Ops of their graphs, repetitions included."""
    cases: int
    """Unique ops of the sweep."""
    seen: Mapping[str, Seen]
    """By device; every device is in it."""

    @property
    def models(self) -> int:
        """How many models of the fleet have it."""
        return len(self.of)

    @property
    def nowhere(self) -> bool:
        """True when no device has seen it."""
        return all(one.state is not State.COVERED for one in self.seen.values())

    @property
    def why(self) -> str:
        """What keeps it, on the first device that has not seen it; empty where all have."""
        return next((one.text for one in self.seen.values() if one.why), "")


@dataclass(frozen=True)
class DeviceCoverage:
    """How much one device has seen."""

    device: str
    states: Mapping[State, int]
    good: int
    """Of the covered uses, those of which all ops ended well."""
    unknown: int
    """Ops that were found there and never begun."""

    @property
    def uses(self) -> int:
        """All that any device knows."""
        return sum(self.states.values())

    @property
    def whole(self) -> bool:
        """True when it has seen all that it can."""
        return not self.states[State.PENDING] and not self.unknown

    @property
    def covered(self) -> Share:
        """Of those that are not excluded."""
        return Share(self.states[State.COVERED], self.uses - self.states[State.EXCLUDED])


@dataclass(frozen=True)
class Coverage:
    """What is exercised, and where."""

    devices: tuple[str, ...]
    rows: tuple[UseRow, ...]
    """By op name, dtypes and ranks."""
    unknown: Mapping[str, int]
    """By device, ops that were found and never begun."""

    @cached_property
    def by_device(self) -> tuple[DeviceCoverage, ...]:
        """Of each device the counts."""
        return tuple(map(self._of, self.devices))

    @property
    def text(self) -> str:
        """`1,204 uses of 310 ops, in 24 dtypes and up to rank 6`."""
        names = {row.use.name for row in self.rows}
        dtypes = {dtype for row in self.rows for dtype, _ in row.use.operands}
        most = max((rank for row in self.rows for _, rank in row.use.operands), default=0)
        return (
            f"{_several(len(self.rows), 'use')} of {_several(len(names), 'op')}, in "
            f"{_several(len(dtypes), 'dtype')} and up to rank {most}"
        )

    def pending(self, device: str) -> list[UseRow]:
        """What a device has yet to see, that of most models first."""
        return _most_first(r for r in self.rows if r.seen[device].state is State.PENDING)

    @cached_property
    def nowhere(self) -> list[UseRow]:
        """What no device has seen, that of most models first."""
        return _most_first(row for row in self.rows if row.nowhere)

    def next_walk(self, device: str) -> tuple[str, int]:
        """The model that would show a device most of what is pending there, and how much; an
        empty name where no model of the fleet would show anything."""
        counts = Counter(model for row in self.pending(device) for model in row.of)
        less, model = min(((-n, model) for model, n in counts.items()), default=(0, ""))
        return model, -less

    def _of(self, device: str) -> DeviceCoverage:
        seen = [row.seen[device] for row in self.rows]
        states = Counter({state: 0 for state in State})
        states.update(one.state for one in seen)
        good = sum(one.outcome in (Outcome.PASSED, Outcome.REACHED) for one in seen)
        return DeviceCoverage(device, states, good, self.unknown.get(device, 0))


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _most_first(rows: Iterable[UseRow]) -> list[UseRow]:
    return sorted(rows, key=lambda row: (-row.models, -row.nodes, row.use))


def use_of(op: Op) -> Use:
    """The use that an op is of."""
    operands = ((_SHORT.get(one.dtype, one.dtype), len(one.shape)) for one in op.inputs)
    return Use(op.name, tuple(operands))


def coverage(models: Sequence[ModelOps], devices: Iterable[str] = ()) -> Coverage:
    """What some op-by-op tests exercise; of each test its newest walk is enough.

    `devices` are further ones, which have seen nothing of it.
    """
    devices = tuple(sorted({*devices, *(model.identity.device for model in models)}))
    keys: dict[str, Use] = {}
    uses: dict[Use, list[tuple[ModelOps, OpResult]]] = defaultdict(list)
    walked: dict[str, set[str]] = defaultdict(set)
    unknown: Counter[str] = Counter()
    for model in models:
        device = model.identity.device
        unknown[device] += model.unbegun
        if model.found:
            walked[device].add(model.identity.model)
        for result in model.ops:
            op = result.verdict.op
            use = keys.get(op.key) or keys.setdefault(op.key, use_of(op))
            uses[use].append((model, result))
    rows = tuple(_row(use, uses[use], devices, walked) for use in sorted(uses))
    return Coverage(devices, rows, dict(unknown))


def _row(
    use: Use,
    found: Sequence[tuple[ModelOps, OpResult]],
    devices: Iterable[str],
    walked: Mapping[str, set[str]],
) -> UseRow:
    once: dict[tuple[str, ...], int] = {}
    cases: set[str] = set()
    here: dict[str, list[OpResult]] = defaultdict(list)
    for model, result in found:
        i, key = model.identity, result.verdict.op.key
        here[i.device].append(result)
        if i.model == SWEEP:
            cases.add(key)
        else:  # the same graph on every device is one graph
            once[i.model, i.variant, i.flow, i.mode, i.framework, key] = result.count
    judged = {device: list(filter(_says_something, results)) for device, results in here.items()}
    refused = _refused_everywhere([result for results in judged.values() for result in results])
    models = sorted({model.identity.model for model, _ in found})

    def seen(device: str) -> Seen:
        if judged.get(device):
            worst = min((r.verdict.outcome for r in judged[device]), key=ATTENTION.index)
            return Seen(State.COVERED, worst)
        if refused:
            return Seen(State.EXCLUDED, why=refused)
        if here.get(device):
            said = here[device][-1].verdict.outcome.value
            return Seen(State.PENDING, why=f"the machine failed: {said}")
        return Seen(State.PENDING, why=_why_pending(models, walked[device]))

    return UseRow(
        use=use,
        of=frozenset(model for model, *_ in once),
        nodes=sum(once.values()),
        cases=len(cases),
        seen={device: seen(device) for device in devices},
    )


def _why_pending(models: Sequence[str], walked: set[str]) -> str:
    named = ", ".join(models[:3]) + (f" and {len(models) - 3} more" if models[3:] else "")
    if walked.isdisjoint(models):
        return f"{named} did not go op by op here"
    return f"of {named} another graph went op by op here"


def _says_something(result: OpResult) -> bool:
    return result.verdict.outcome not in NOT_EVIDENCE and not is_wordless(result)


def _refused_everywhere(judged: Sequence[OpResult]) -> str:
    """In which stage above any device every op of a use ended; empty where one got further."""
    stages = [r.verdict.failure.stage if r.verdict.failure else None for r in judged]
    if not judged or any(is_good(r) for r in judged) or not set(stages) <= _FRONT_END:
        return ""
    said = first_line(shown(judged[0].verdict.fingerprint))
    return f"refused before any device, in {failing_stage(judged[0])}: {said}"
