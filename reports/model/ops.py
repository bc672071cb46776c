# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops of models as every format shows them: pure functions and the values they return.

Nothing is taken from whichever model came first: of an op in many models counts are summed, and
status, correlation and error are those of the worst.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from bringup.harness.records.advice import Advice, read_advice
from bringup.harness.records.followed import Past
from bringup.harness.records.metrics import worst_of
from bringup.harness.records.outcomes import is_blocking, is_good, urgency, worst_blocking
from bringup.harness.records.recent import OpsOfTest
from bringup.harness.records.reproducible import place_of
from bringup.harness.records.schema import (
    Failure,
    Identity,
    Metric,
    Op,
    OpResult,
    Outcome,
    Status,
    TestRecord,
)
from bringup.reports.model.op_results import (
    command_of,
    failure_line,
    is_compiled_only,
    is_uncompared,
    is_unknown,
    was_on_device,
)
from bringup.reports.model.origin import Origin, origin_of
from bringup.reports.text.numbers import Share, moment_text


@dataclass(frozen=True)
class ModelOps:
    """One op-by-op test of one model on one device, and its unique ops."""

    source: OpsOfTest
    device_ran: bool = False
    """True when some test of the same run had an op on this device, not only in its compiler."""

    @cached_property
    def record(self) -> TestRecord:
        """The test's record; where ops block it, with the outcome of the worst of them.

        A test that went through all of its ops has done its part whatever they say. Whoever reads
        of the model wants to know what they say.
        """
        record = self.source.record
        worst = worst_blocking(record.outcome, self.ops)
        if worst is None:
            return record
        verdict, message = worst.verdict, failure_line(worst)
        why = (
            f"{self.count(is_blocking)} of {self.found} unique ops did not run right, the worst is "
        )
        why += f"{verdict.op.name}: {message}" if message else verdict.op.name
        stage = verdict.failure.stage if verdict.failure else None
        failure = Failure(stage, verdict.outcome.value, why)
        return msgspec.structs.replace(record, outcome=verdict.outcome, failure=failure)

    @cached_property
    def past(self) -> Mapping[str, Past]:
        """By key the ops that left tolerance fed the device's own values."""
        followed = self.source.record.followed
        return {one.op_key: one for one in followed.past} if followed else {}

    @property
    def identity(self) -> Identity:
        """Which test, on which device."""
        return self.source.record.identity

    @property
    def ops(self) -> tuple[OpResult, ...]:
        """Those that were begun, by index."""
        return self.source.ops

    @property
    def name(self) -> str:
        """The name people read."""
        return self.source.record.model_name or self.identity.model

    @cached_property
    def origin(self) -> Origin:
        """With what its run was made."""
        return origin_of(self.source.header.provenances.values())

    @cached_property
    def place(self) -> str:
        """What comes before a reproducer's name in a command; empty where the name is enough."""
        return place_of(self.source.run_dir) if self.source.run_dir is not None else ""

    @cached_property
    def advice(self) -> Advice:
        """How its run was started."""
        return read_advice(self.source.header.started_by)

    @property
    def made_text(self) -> str:
        """When, of which commit and in which run its results were made."""
        header = self.source.header
        return f"{moment_text(header.created)} · {self.origin.commit_text} · run {header.run_id}"

    @property
    def found(self) -> int:
        """Its unique ops, those that were never begun included."""
        return max(self.source.record.ops_found, len(self.ops))

    @property
    def unbegun(self) -> int:
        """Unique ops that its test did not get to before it ended."""
        return self.found - len(self.ops)

    @cached_property
    def statuses(self) -> tuple[int, ...]:
        """How many of its unique ops ended at each status, 0 to 7; what never began is at 0."""
        reached = [op.verdict.status for op in self.ops] + [Status.NOT_STARTED] * self.unbegun
        return tuple(reached.count(status) for status in Status)

    @property
    def nodes(self) -> int:
        """Ops of the graph that are like those that were begun, repetitions included."""
        return sum(op.count for op in self.ops)

    @property
    def good(self) -> Share:
        """Unique ops at their device's top and not wrong, of all."""
        return Share(self.count(is_good), self.found)

    @property
    def compiled(self) -> Share:
        """Unique ops at status 6 or higher, of all."""
        return Share(sum(self.statuses[Status.CONVERTED_TO_TTNN :]), self.found)

    @cached_property
    def executes(self) -> bool:
        """False where nothing was to be executed: by the device, or by what was asked for."""
        if any(map(was_on_device, self.ops)):
            return True
        if any(map(is_compiled_only, self.ops)):
            return False
        return self.device_ran or self.source.record.outcome is not Outcome.REACHED

    @property
    def executed(self) -> Share:
        """Unique ops at status 7, of those that were to execute."""
        if not self.executes:
            return Share(0, 0)
        return Share(self.statuses[Status.EXECUTED], self.found - self.count(is_compiled_only))

    @property
    def uncompared(self) -> int:
        """Ops that were executed and that nobody had a golden for."""
        return self.count(is_uncompared)

    @property
    def unknown_errors(self) -> int:
        """Ops that failed and name no stage, or that the process did not survive."""
        return self.count(is_unknown)

    @property
    def timeouts(self) -> int:
        """Ops that ran past their deadline."""
        return self.count(lambda op: op.verdict.outcome is Outcome.TIMEOUT)

    @property
    def hits(self) -> int:
        """Ops whose verdict came from the cache."""
        return self.count(lambda op: op.hit)

    def count(self, test: Callable[[OpResult], bool]) -> int:
        """How many of its unique ops pass a test."""
        return sum(1 for op in self.ops if test(op))


@dataclass(frozen=True)
class SharedOp:
    """One op on one device over all models, or ops that fail in one same way on any device."""

    uses: tuple[tuple[ModelOps, OpResult], ...]
    """At least one."""

    @cached_property
    def _worst_use(self) -> tuple[ModelOps, OpResult]:
        return min(self.uses, key=lambda use: urgency(use[1]))

    @property
    def worst(self) -> OpResult:
        """The result that most needs attention."""
        return self._worst_use[1]

    @property
    def worst_model(self) -> ModelOps:
        """The test that has the worst result."""
        return self._worst_use[0]

    @property
    def command(self) -> str:
        """The line that runs the worst result's reproducer; empty where it has none."""
        return command_of(self.worst, self.worst_model.place, self.worst_model.advice)

    @property
    def op(self) -> Op:
        """What it is."""
        return self.worst.verdict.op

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """Where it was tried, each once."""
        return tuple(sorted({result.verdict.device for _, result in self.uses}))

    @property
    def variants(self) -> int:
        """How many ops these are: one, unless they were put together for their failure."""
        return len({result.verdict.op.key for _, result in self.uses})

    @property
    def nodes(self) -> int:
        """How many times all models together have it."""
        return sum(result.count for _, result in self.uses)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The names of the models that have it, each once."""
        return tuple(sorted({model.name for model, _ in self.uses}))

    @property
    def hits(self) -> int:
        """In how many tests its verdict came from the cache."""
        return sum(1 for _, result in self.uses if result.hit)

    @property
    def pcc(self) -> Metric | None:
        """The lowest correlation of all; what is not a number is lower than any."""
        return worst_of((r.verdict.pcc for _, r in self.uses if r.verdict.pcc), "pcc")

    @property
    def atol(self) -> Metric | None:
        """The largest difference of all."""
        return worst_of((r.verdict.atol for _, r in self.uses if r.verdict.atol), "atol")


def models_of(tests: Iterable[OpsOfTest]) -> tuple[ModelOps, ...]:
    """Wrap what records say, by name, then identity."""
    found = list(tests)
    ran = {_place(test) for test in found if any(map(was_on_device, test.ops))}
    models = (ModelOps(test, _place(test) in ran) for test in found)
    return tuple(sorted(models, key=lambda m: (m.name.casefold(), m.identity.planned)))


def made_text(models: Sequence[ModelOps]) -> str:
    """When, of which commit and in which run results of many models were made: the newest's."""
    if not models:
        return "no op-by-op results"
    newest = max(models, key=lambda m: (m.source.header.created, m.source.header.run_id))
    runs = len({m.source.header.run_id for m in models})
    return newest.made_text + (f" · the newest of {runs} runs" if runs > 1 else "")


def _place(test: OpsOfTest) -> tuple[str, str]:
    return test.header.run_id, test.record.identity.device


def across(models: Iterable[ModelOps]) -> tuple[SharedOp, ...]:
    """Every op of all models, each once per device, by name and key."""
    uses: dict[tuple[str, str, str], list[tuple[ModelOps, OpResult]]] = {}
    for model in models:
        for result in model.ops:
            op = result.verdict.op
            group = op.name, op.key, result.verdict.device
            uses.setdefault(group, []).append((model, result))
    return tuple(SharedOp(tuple(uses[group])) for group in sorted(uses))


def blockers(models: Iterable[ModelOps]) -> tuple[SharedOp, ...]:
    """Ops below their device's top, or wrong there, with the models they hold back, most first.

    Ops of one name that fail alike are one thing to fix, whatever their shapes and devices.
    """
    uses = [(m, r) for m in models for r in m.ops if not is_good(r) and is_blocking(r)]
    uses.sort(
        key=lambda use: (use[1].verdict.op.name, use[1].verdict.op.key, use[1].verdict.device)
    )
    blocking: dict[tuple[str, str], list[tuple[ModelOps, OpResult]]] = {}
    for model, result in uses:
        verdict = result.verdict
        group = verdict.op.name, verdict.fingerprint or verdict.outcome.value
        blocking.setdefault(group, []).append((model, result))
    shared = [SharedOp(tuple(blocking[group])) for group in sorted(blocking)]
    return tuple(sorted(shared, key=lambda s: (-len(s.models), -s.nodes)))
