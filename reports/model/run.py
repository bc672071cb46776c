# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a merged run to what every format shows: a pure function and the values it returns.

The last attempt at a test counts; earlier ones are its history. What was planned and has no
record, or never started, is `Missing`: a section of its own in every document, never a gap.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import msgspec

from bringup.harness.records.advice import THROUGH_NOX, Advice, read_advice
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.moves import Move
from bringup.harness.records.night import Cluster, NightVerdict
from bringup.harness.records.outcomes import ATTENTION, is_left_out
from bringup.harness.records.plans import nobody_ran, planned_by
from bringup.harness.records.recent import ops_of
from bringup.harness.records.reproducible import is_reproducible, reproduce_command
from bringup.harness.records.run_dir import OpLine
from bringup.harness.records.schema import (
    GOOD,
    Identity,
    Outcome,
    Plan,
    PlannedTest,
    RunHeader,
    Stage,
    Status,
    TestRecord,
    Turn,
)
from bringup.harness.records.trends import Trends
from bringup.harness.records.values import CACHED_FROM, REUSED_FROM
from bringup.reports.model.coverage import Coverage, coverage
from bringup.reports.model.ops import ModelOps, SharedOp, blockers, models_of
from bringup.reports.model.origin import Origin, origin_of
from bringup.reports.model.tally import Tally, tally
from bringup.reports.text.numbers import total
from bringup.reports.text.untrusted import clean, command_to_repeat, first_line


@dataclass(frozen=True)
class Result:
    """What became of one test on one device."""

    record: TestRecord
    """The last attempt; of an op-by-op test, what its ops make of it."""
    earlier: tuple[TestRecord, ...] = ()
    """Attempts before it, oldest first."""
    planned: PlannedTest | None = None
    advice: Advice = THROUGH_NOX
    """How its run was started."""

    @property
    def identity(self) -> Identity:
        """Which test, on which device."""
        return self.record.identity

    @property
    def good(self) -> bool:
        """True when it needs nobody's attention."""
        return self.record.outcome in GOOD

    @property
    def unrun(self) -> bool:
        """True when all its record says is that it never ran."""
        return self.record.outcome is Outcome.NOT_RUN

    @property
    def left_out(self) -> bool:
        """True when its run's budget had no time for it."""
        return is_left_out(self.record)

    @property
    def anchor(self) -> str:
        """Where a page keeps this result; the same in every run."""
        return anchor_of(self.identity)

    @property
    def seconds(self) -> float | None:
        """From start to end of the last attempt."""
        return total([self.record.wall_s])

    @property
    def failing_stage(self) -> str:
        """The stage that did not come back well; empty when none is named."""
        failure = self.record.failure
        return failure.stage.value if failure and failure.stage else ""

    @property
    def failure_line(self) -> str:
        """The failure's first line; empty without a failure."""
        return first_line(self.record.failure.message) if self.record.failure else ""

    @property
    def list_name(self) -> str:
        """The list that planned it; empty when picked by hand."""
        return self.planned.list_name if self.planned else ""

    @property
    def turn(self) -> Turn | None:
        """Its place in a run that has not the time for all."""
        return self.planned.turn if self.planned else None

    @property
    def command(self) -> str:
        """The shell line that runs it again; empty when its id is unknown."""
        nodeid = self.record.nodeid or (self.planned.nodeid if self.planned else "")
        environment = self.planned.environment if self.planned else {}
        entry = self.record.entry or (self.planned.entry if self.planned else "")
        return command_to_repeat(nodeid, self.identity, environment, entry, self.advice)

    @property
    def reduce_command(self) -> str:
        """The shell line that finds what in the model is to blame; empty where there is none."""
        record, command = self.record, self.command
        if not command or "op_by_op" in self.identity.flow:
            return ""
        if not is_reproducible(record.outcome, record.failure):
            return ""
        return clean(reproduce_command(record.nodeid, self.identity, record.entry, self.advice))

    def stage_seconds(self, stage: Stage) -> float | None:
        """Wall seconds in `stage`; None when it did not run or did not come back."""
        return total(s.wall_s for s in self.record.stages if s.stage is stage)


@dataclass(frozen=True)
class Missing:
    """A planned test that did not report."""

    identity: Identity
    nodeid: str
    list_name: str
    reason: str
    result: Result | None = None
    """Its NOT_RUN record; None when there is no record at all."""


@dataclass(frozen=True)
class GridRow:
    """One test over all devices; None where it was not planned."""

    identity: Identity
    """Its device is empty."""
    cells: tuple[Result | Missing | None, ...]

    @property
    def model_name(self) -> str:
        """The name people read, from whichever device knows it; may be empty."""
        names = (c.record.model_name for c in self.cells if isinstance(c, Result))
        return next((name for name in names if name), "")


@dataclass(frozen=True)
class RunSummary:
    """Everything a format needs, in a stable order."""

    header: RunHeader
    origin: Origin
    devices: tuple[str, ...]
    results: tuple[Result, ...]
    """By identity."""
    missing: tuple[Missing, ...]
    unnamed: int
    """Planned tests of which not even the name has arrived."""
    plan_known: bool
    tallies: tuple[Tally, ...]
    """One per device."""
    overall: Tally
    grid: tuple[GridRow, ...]
    moves: tuple[Move, ...] | None
    """Proposed list moves; None when nobody looked for any."""
    ops: tuple[ModelOps, ...] = ()
    """Tests that went op by op."""
    night: NightVerdict | None = None
    """The run beside those before it; None where nobody judged it."""
    trends: Trends | None = None
    """The last nights of its tests; None where nobody judged it."""
    compile_only: frozenset[str] = frozenset()
    """Devices that only compile, and nothing ran on."""

    @property
    def causes(self) -> tuple[Cluster, ...]:
        """Of its failures, those first that tonight saw for the first time."""
        night = self.night
        if night is None:
            return ()
        return tuple(sorted(night.clusters, key=lambda c: not night.is_new(c)))

    @cached_property
    def by_model(self) -> tuple[Tally, ...]:
        """Counts of each model's results over all devices, called as the model, by name."""
        compile_only = self.compile_only
        ordered = sorted(self.results, key=lambda r: r.identity.model)
        return tuple(
            tally(model, [r.record for r in results], 0, compile_only)
            for model, results in groupby(ordered, key=lambda r: r.identity.model)
        )

    @cached_property
    def blockers(self) -> tuple[SharedOp, ...]:
        """Ops below their device's top, or wrong there, with the models they hold back."""
        return blockers(self.ops)

    @cached_property
    def coverage(self) -> Coverage:
        """What its ops are, and what each of its devices has seen of them."""
        return coverage(self.ops, self.devices)

    @cached_property
    def shown(self) -> tuple[Result, ...]:
        """Of which their tests measured a task's metric, or made something that can be seen."""
        return tuple(result for result in self.results if result.record.shown)

    @property
    def any_ops(self) -> bool:
        """True when a test got as far as its ops."""
        return any(model.found for model in self.ops)

    @cached_property
    def any_estimates(self) -> bool:
        """True when somebody estimated what a model takes on a device."""
        return any(result.record.estimate is not None for result in self.results)

    @cached_property
    def cached_text(self) -> str:
        """What was not done, since an earlier run had; empty where all was."""
        kept = [
            stage.stage
            for result in self.results
            for stage in result.record.stages
            if CACHED_FROM in stage.attributes and REUSED_FROM not in stage.attributes
        ]
        counted = (
            ("export", Stage.EXPORT),
            ("lowering", Stage.STABLEHLO),
            ("compilation", Stage.COMPILE),
            ("comparison", Stage.VERIFY),
        )
        found = [(name, kept.count(stage)) for name, stage in counted if stage in kept]
        said = ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in found)
        return f"cached by earlier runs: {said}" if said else ""

    @property
    def attention(self) -> tuple[Result, ...]:
        """Results that need somebody's attention, the most urgent outcome first.

        What never ran is `missing`, and is not said again here.
        """
        bad = (r for r in self.results if not r.good and not r.unrun)
        return tuple(sorted(bad, key=lambda r: ATTENTION.index(r.record.outcome)))

    @property
    def left_out(self) -> tuple[Result, ...]:
        """Tests that the run's budget had no time for, those first that would tell most. They are
        neither missing nor evidence."""
        found = (result for result in self.results if result.left_out)
        return tuple(sorted(found, key=lambda r: r.turn.place if r.turn else 0))

    @property
    def left_out_because(self) -> tuple[tuple[str, int], ...]:
        """How many of those have which reason, the most first."""
        reasons = (r.turn.why.partition(": ")[0] for r in self.left_out if r.turn)
        return tuple(Counter(reasons).most_common())

    @property
    def left_out_because_text(self) -> str:
        """The same in words: `180 steady, 12 new`."""
        return ", ".join(f"{count} {reason}" for reason, count in self.left_out_because)

    @property
    def anything_missing(self) -> bool:
        """True when some planned test was not reported."""
        return bool(self.missing or self.gaps)

    @property
    def lost(self) -> int:
        """Planned minus reported."""
        return len(self.missing) + self.unnamed

    @property
    def alarm(self) -> str:
        """What to call all that did not arrive."""
        if self.lost:
            return f"Planned minus reported: {self.lost} of {self.overall.planned}"
        return "Records that did not arrive whole"

    @property
    def gaps(self) -> tuple[str, ...]:
        """Sentences on shards and journals that did not arrive whole.

        The one that names the tests nobody ran is not among them: `missing` lists those.
        """
        named = nobody_ran(self.header.unrun)
        said = tuple(sentence for sentence in self.header.missing if sentence != named)
        if not self.unnamed:
            return said
        return (
            *said,
            f"{self.unnamed} planned tests are not known even by name: their plan did not arrive",
        )


def summarise(
    header: RunHeader,
    records: Sequence[TestRecord],
    plans: Sequence[Plan] = (),
    moves: tuple[Move, ...] | None = None,
    ops: Sequence[OpLine] = (),
    run_dir: Path | None = None,
) -> RunSummary:
    """Turn a merged run into view values. Order of the input does not matter."""
    plan = {test.identity: test for test in planned_by(plans).values()}  # as ids name them
    models = models_of(ops_of(header, records, ops, run_dir))
    results = _results(records, plan, models, read_advice(header.started_by))
    compile_only = _compile_only(records, models, plans)
    missing = _missing(results, plan)
    unplanned = sum(1 for r in results if r.identity.planned not in plan)
    named = max(len(plan), sum(len(p.tests) for p in plans))
    unnamed = max(0, header.planned - named - unplanned)
    devices = sorted({r.identity.device for r in results} | {i.device for i in plan})
    return RunSummary(
        header=header,
        origin=origin_of(header.provenances.values()),
        devices=tuple(devices),
        results=results,
        missing=missing,
        unnamed=unnamed,
        plan_known=bool(plans or header.planned),
        tallies=tuple(_tally_on(device, results, missing, compile_only) for device in devices),
        overall=tally(
            "all devices", [r.record for r in results], len(missing) + unnamed, compile_only
        ),
        grid=_grid(devices, results, missing),
        moves=moves,
        ops=models,
        compile_only=compile_only,
    )


def anchor_of(identity: Identity) -> str:
    """A fragment made of hash digits only, whatever the names contain."""
    return anchor_of_key(identity.key)


def anchor_of_key(key: str) -> str:
    """The same of a test that is known by its `Identity.key`."""
    return "t-" + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]


def _results(
    records: Sequence[TestRecord],
    plan: dict[Identity, PlannedTest],
    models: Iterable[ModelOps],
    advice: Advice,
) -> tuple[Result, ...]:
    judged = {model.identity.planned: model.record for model in models}
    ordered = sorted(records, key=lambda r: (r.identity.planned, r.attempt, r.started or 0.0))
    results = []
    for identity, attempts in groupby(ordered, key=lambda r: r.identity.planned):
        *earlier, last = attempts
        record = judged.get(identity, last)
        results.append(Result(record, tuple(earlier), plan.get(identity), advice))
    return tuple(results)


def _compile_only(
    records: Iterable[TestRecord], models: Iterable[ModelOps], plans: Iterable[Plan]
) -> frozenset[str]:
    """Devices that only compile, and nothing ran on.

    By what the machine that ran the tests found, and by tests that ended there where no more was
    to be done: an older plan does not say.
    """
    found = (item for plan in plans for item in plan.devices.items())
    planned = {device for device, state in found if state is DeviceState.COMPILES}
    reached = {r.identity.device for r in records if r.outcome is Outcome.REACHED}
    ran = {r.identity.device for r in records if _was_on_device(r)}
    ran |= {model.identity.device for model in models if model.ops and model.executes}
    return frozenset((reached | planned) - ran)


def _was_on_device(record: TestRecord) -> bool:
    return record.status is Status.EXECUTED or any(s.stage is Stage.EXECUTE for s in record.stages)


def _missing(results: Sequence[Result], plan: dict[Identity, PlannedTest]) -> tuple[Missing, ...]:
    recorded = {r.identity.planned for r in results}
    found = [
        Missing(i, test.nodeid, test.list_name, "planned, and nothing says what became of it")
        for i, test in plan.items()
        if i not in recorded
    ]
    for result in results:
        if result.unrun and not result.left_out:
            why = result.failure_line or "planned, never started"
            nodeid, name = result.record.nodeid, result.list_name
            found.append(Missing(result.identity, nodeid, name, why, result))
    return tuple(sorted(found, key=lambda m: m.identity))


def _tally_on(
    device: str,
    results: Sequence[Result],
    missing: Sequence[Missing],
    compile_only: Collection[str],
) -> Tally:
    lost = sum(1 for m in missing if m.identity.device == device)
    own = [r.record for r in results if r.identity.device == device]
    return tally(device, own, lost, compile_only)


def _grid(
    devices: Sequence[str], results: Sequence[Result], missing: Sequence[Missing]
) -> tuple[GridRow, ...]:
    cells: dict[Identity, dict[str, Result | Missing]] = {}
    modes: dict[Identity, set[str]] = {}
    everything: tuple[Result | Missing, ...] = (*missing, *results)
    for one in everything:  # a NOT_RUN record replaces its own Missing
        test = msgspec.structs.replace(one.identity.planned, device="")
        cells.setdefault(test, {})[one.identity.device] = one
        if isinstance(one, Result) and one.identity.filed_mode:
            modes.setdefault(test, set()).add(one.identity.mode)
    return tuple(
        GridRow(
            _as_run(test, modes.get(test, ())),
            tuple(cells[test].get(device) for device in devices),
        )
        for test in sorted(cells)
    )


def _as_run(test: Identity, modes: Collection[str]) -> Identity:
    """A test with the mode that its testers ran in, wherever they came to say it."""
    if len(modes) != 1:
        return test
    return msgspec.structs.replace(test, mode=next(iter(modes)), filed_mode=test.mode)
