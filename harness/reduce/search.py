# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The search: how a model ends, which node is to blame, and the smallest part that ends so too.

A model that does not run is reduced as it is: any part of it that ends in the same stage with the
same diagnostic will do. A model that is wrong is walked first, and the nodes whose values left
tolerance are tried alone on golden inputs, in order: the first that is wrong there is to blame. A
node that is right alone may be wrong only together with others, as compilers fuse ops; then what
computes it is reduced, with golden values where it is cut.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

import torch

from bringup.harness.graph.golden_values import GoldenError
from bringup.harness.graph.intermediates import IntermediateReport, Tally, compared
from bringup.harness.graph.op_graph import OpGraph, Part, Unit
from bringup.harness.records.schema import Failure, Identity, OpVerdict, Outcome, Stage, Status
from bringup.harness.reduce.attempts import Attempts, Sign, sign_of
from bringup.harness.reduce.minimise import minimise
from bringup.harness.reproduce.reproducer import fingerprint_of
from bringup.harness.verify import Tolerances

WHOLE_DEADLINE = 600.0
"""Seconds for the whole model, which may take minutes to compile."""
_UNKNOWN = 10
"""Times a part's deadline for a whole model that nobody has seen yet."""
_CONES = 3
"""Wrong nodes whose producers are tried when no node is wrong alone."""
_MESSAGE_LENGTH = 2000
_BAD = (Outcome.FAILED, Outcome.CRASHED, Outcome.TIMEOUT)


@dataclass(frozen=True)
class Subject:
    """A model as it is searched: a graph with its inputs, and what its test asks of outputs."""

    identity: Identity
    graph: OpGraph
    device: str
    options: Mapping[str, str]
    """The device compiler's."""
    tolerances: Tolerances
    """The test's own, for the model's outputs."""
    node_tolerances: Tolerances
    """For values in between."""
    wrong: Callable[[Sequence[torch.Tensor]], list[str]]
    """A sentence for each check of the test that given outputs of the graph do not pass."""


@dataclass(frozen=True)
class ModelOutcome:
    """How a whole model ended."""

    outcome: Outcome
    failure: Failure | None = None
    status: Status = Status.CREATED_GRAPH

    def fingerprint(self, name: str) -> str:
        """Stage, model and normalised diagnostic; empty when all went well."""
        return fingerprint_of(name, self.outcome, self.failure)

    @property
    def sign(self) -> Sign:
        """What a part of the model must share with it."""
        return self.outcome, self.fingerprint("")


@dataclass(frozen=True)
class Smallest:
    """The best part so far."""

    part: Part
    verdict: OpVerdict
    tolerances: Tolerances
    of: int
    """Ops of the model."""
    minimal: bool = False
    """True: leaving out any one op was seen to end otherwise."""


@dataclass
class Found:
    """What a search came to."""

    ended: ModelOutcome
    smallest: Smallest | None = None
    walked: IntermediateReport | None = None
    sentences: list[str] = field(default_factory=list)
    """What was found, for people, in order."""


class OutOfTimeError(Exception):
    """The search's seconds are spent."""


@dataclass(frozen=True)
class _Start:
    """A part that fails, to be made smaller."""

    units: list[Unit]
    outputs: tuple[str, ...] | None
    """What it must give; None for whatever is left open."""
    tolerances: Tolerances
    sign: Sign
    best: Smallest


class Search:
    """One search through one model."""

    def __init__(
        self,
        subject: Subject,
        attempts: Attempts,
        *,
        seconds: float,
        say: Callable[[str], None],
        save: Callable[[Smallest], None],
    ) -> None:
        """`seconds` are for the search, not for the whole model's own run.

        `say` gets lines of progress, `save` every part that is smaller than the last.
        """
        self.subject = subject
        self.attempts = attempts
        self.units = subject.graph.units
        self._maker = {name: unit for unit in self.units for name in unit.values}
        self._seconds = seconds
        self._end = 0.0
        self._say = say
        self._save = save

    def run(self, wanted: Sign | None, deadline_s: float) -> Found:
        """Run the model; if it ends as `wanted`, search. `deadline_s` is for one part.

        Raises:
            DeviceError: the device cannot be had, or stopped answering.
        """
        found = Found(self._whole(wanted, deadline_s))
        if wanted is not None and found.ended.sign != wanted:
            return found
        self.attempts.deadline_s = deadline_s
        self._end = time.monotonic() + self._seconds
        try:
            self._search(found)
        except OutOfTimeError:
            found.sentences.append(f"The {self._seconds:.0f} s for the search are spent.")
        except GoldenError as error:
            found.sentences.append(f"The search cannot go on: {error}")
        except KeyboardInterrupt:
            found.sentences.append("The search was interrupted; the best so far is kept.")
        return found

    def _whole(self, wanted: Sign | None, deadline_s: float) -> ModelOutcome:
        self._say(f"running the whole model, {len(self.units)} ops, on {self.subject.device}")
        self.attempts.deadline_s = WHOLE_DEADLINE
        if wanted is None:
            self.attempts.deadline_s = _UNKNOWN * deadline_s  # it may hang; nobody saw it end
        elif wanted[0] is Outcome.TIMEOUT:
            self.attempts.deadline_s = deadline_s
        graph = self.subject.graph
        part = graph.cut(self.units, graph.results)
        run = self.attempts.run(part)
        if run.outputs is None:
            verdict = self.attempts.judged(part, run, self.subject.tolerances)
            return ModelOutcome(verdict.outcome, verdict.failure, verdict.status)
        wrong = self.subject.wrong(run.outputs)
        if not wrong:
            return ModelOutcome(Outcome.PASSED, status=Status.EXECUTED)
        said = "\n".join(wrong)[:_MESSAGE_LENGTH]
        failure = Failure(Stage.VERIFY, "IncorrectResult", said)
        return ModelOutcome(Outcome.INCORRECT, failure, Status.EXECUTED)

    def _search(self, found: Found) -> None:
        if found.ended.outcome is Outcome.INCORRECT:
            start = self._start_of_wrong(found)
        elif found.ended.outcome in _BAD:
            start = self._try(self.units, None, self.subject.tolerances, found.ended.sign)
        else:
            return
        if start is not None:
            self._minimise(start, found)
            if found.ended.outcome is Outcome.INCORRECT:
                found.sentences.append(self._explained(found))

    # --- where to start ---------------------------------------------------------------------

    def _start_of_wrong(self, found: Found) -> _Start | None:
        subject, graph = self.subject, self.subject.graph
        said = subject.wrong(graph.golden(graph.results))
        if said:
            found.sentences.append(
                f"The model's graph, run by {graph.reference} itself, is as wrong:"
                f" {graph.preparation} is to blame and no device ({said[0]})"
            )
            return None
        tally = Tally()
        try:
            return self._blamed(tally)
        finally:
            found.walked = tally.report()
            found.sentences.append(_walked(found.walked))

    def _blamed(self, tally: Tally) -> _Start | None:
        """Walk until a node is wrong alone, or together with what computes it."""
        subject = self.subject
        self._say("comparing intermediate values")
        for seen in compared(
            subject.graph,
            self.attempts.device,
            subject.node_tolerances,
            options=subject.options,
        ):
            tally.add(seen)
            start = self._blame(seen.name) if seen.reason else None
            if start is not None:
                return start
        return self._wrong_at_the_end(tally)

    def _blame(self, name: str) -> _Start | None:
        self._say(f"{name} is wrong; trying it alone")
        tolerances = self.subject.node_tolerances
        start = self._try([self._maker[name]], (name,), tolerances)
        if start is None and self.subject.graph.is_float(name):
            # of a float the first that is wrong; an index or a mask may flip by rounding alone
            self._say(f"it is right; trying all that computes {name}")
            start = self._try_cone(name, tolerances)
        return start

    def _wrong_at_the_end(self, tally: Tally) -> _Start | None:
        for wrong in tally.named[:_CONES]:
            start = self._try_cone(wrong.name, self.subject.node_tolerances)
            if start is not None:
                return start
        for output in self.subject.graph.results:
            if output not in self._maker:
                continue
            self._say(f"trying all that computes the output {output}")
            start = self._try_cone(output, self.subject.tolerances)
            if start is not None:
                return start
        return None

    def _try_cone(self, name: str, tolerances: Tolerances) -> _Start | None:
        unit = self._maker[name]
        before = [*takewhile(lambda other: other is not unit, self.units), unit]
        return self._try(before, (name,), tolerances)

    def _try(
        self,
        chosen: Sequence[Unit],
        outputs: tuple[str, ...] | None,
        tolerances: Tolerances,
        sign: Sign | None = None,
    ) -> _Start | None:
        """The start from `chosen`, if it ends with `sign`; without one, if it ends wrong."""
        part, verdict = self._attempt(chosen, outputs, tolerances)
        fits = sign_of(verdict) == sign if sign else verdict.outcome is Outcome.INCORRECT
        if not fits:
            return None
        inside = set(part.units)
        computed = [unit for unit in chosen if unit in inside]
        best = Smallest(part, verdict, tolerances, len(self.units))
        return _Start(computed, outputs, tolerances, sign_of(verdict), best)

    def _attempt(
        self,
        chosen: Sequence[Unit],
        outputs: tuple[str, ...] | None,
        tolerances: Tolerances,
    ) -> tuple[Part, OpVerdict]:
        if time.monotonic() > self._end:
            raise OutOfTimeError
        part = self.subject.graph.cut(chosen, outputs)
        return part, self.attempts.verdict(part, tolerances)

    # --- smaller ----------------------------------------------------------------------------

    def _minimise(self, start: _Start, found: Found) -> None:
        found.smallest = start.best
        self._save(start.best)

        def keeps(chosen: Sequence[Unit]) -> bool:
            if start.outputs is not None and not _gives(chosen, start.outputs):
                return False
            part, verdict = self._attempt(chosen, start.outputs, start.tolerances)
            same = sign_of(verdict) == start.sign
            self._say(
                f"{len(part.units)} ops: {'the same' if same else verdict.outcome.value}"
                f" (attempt {self.attempts.count},"
                f" {max(self._end - time.monotonic(), 0):.0f} s left)"
            )
            if same and found.smallest and len(part.units) < len(found.smallest.part.units):
                found.smallest = replace(start.best, part=part, verdict=verdict)
                self._save(found.smallest)
            return same

        minimise(start.units, keeps)
        found.smallest = replace(found.smallest, minimal=True)

    def _explained(self, found: Found) -> str:
        """Whether the golden value in the part's place makes the model right."""
        assert found.smallest is not None
        self.attempts.deadline_s = WHOLE_DEADLINE
        graph, given = self.subject.graph, found.smallest.part.outputs
        run = self.attempts.run(graph.cut(self.units, graph.results, fed=given))
        names = ", ".join(given)
        if run.outputs is None:
            return f"The rest of the model does not run without {names}."
        if self.subject.wrong(run.outputs):
            return f"With {graph.reference}'s value for {names} the model is wrong all the same."
        return f"With {graph.reference}'s value for {names} the model is right."


def _walked(report: IntermediateReport) -> str:
    first = report.first_wrong
    if first is None:
        return report.render()
    return (
        f"{first.name} ({first.target}) is the first value to leave tolerance,"
        f" after {report.nodes - report.wrong} that agree: {first.reason}"
    )


def _gives(chosen: Sequence[Unit], outputs: Sequence[str]) -> bool:
    return {name for unit in chosen for name in unit.values}.issuperset(outputs)
