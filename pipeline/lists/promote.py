# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From a run's records to the moves they support: a pure function and its rules.

One test, on one device, in all its flows is judged at once, by the latest record of each flow
that is evidence. The first rule that fits decides.

    ===  ==========================================  ===================================
    case  evidence                                   belongs in (and leaves)
    ===  ==========================================  ===================================
    1    full flow PASSED                            nightly full, weekly op-by-op
                                                     (nightly op-by-op, e2e compile)
    2    full flow INCORRECT                         as 1, its check disabled, with an issue
    0    full flow REACHED compiled, all asked for,  e2e compile (nightly full)
         on a device that cannot execute; or on no
         list yet
    3    full flow FAILED between export and         nightly op-by-op
         execute; or CRASHED, not in nightly full    (nightly full, weekly op-by-op)
    3b   op by op every op compiles, and some op or  also e2e compile
         the whole model fails to execute; and the
         test is not in nightly full
    -    op by op finished; on no list yet           nightly op-by-op
    ===  ==========================================  ===================================

What says nothing of the model moves nothing: INFRA, KILLED, NOT_RUN and SKIPPED; TIMEOUT, which
a slow machine makes; FAILED while loading, in the golden run or in the test's own code; UNVERIFIED,
and PASSED without an output, for nothing was compared; a walk over one op that was asked for; a
rehearsal at another size. A record counts for the test its id names, so a record with another
device's or a made-up id is dropped.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from bringup.harness.records.aliases import renamed
from bringup.harness.records.moves import Move
from bringup.harness.records.naming import identity_of, listed_as, parts_of, places_of
from bringup.harness.records.schema import Identity, Outcome, Stage, Status, TestRecord
from bringup.harness.records.values import BASE_SIZE
from bringup.pipeline.lists.lists import Entry, Lists
from bringup.pipeline.lists.specs import (
    NIGHTLY_E2E_COMPILE,
    NIGHTLY_FULL,
    NIGHTLY_OP_BY_OP,
    OP_BY_OP_FLOWS,
    WEEKLY_OP_BY_OP,
    ListSpec,
)

COMPILER_STAGES = frozenset(
    {
        Stage.EXPORT,
        Stage.DECOMPOSE,
        Stage.TORCH_IR,
        Stage.TORCH_BACKEND_IR,
        Stage.STABLEHLO,
        Stage.COMPILE,
        Stage.EXECUTE,
    }
)
"""Stages whose failure says that the compiler or the device cannot run the model."""

OWN_STAGES = frozenset({Stage.LOAD, Stage.GOLDEN})
"""Stages before the compiler's: a crash there is the model's own."""

FINISHED = frozenset({Outcome.PASSED, Outcome.REACHED, Outcome.INCORRECT})


def propose(
    records: Iterable[TestRecord],
    lists: Lists,
    collected: Collection[str] | None = None,
    identify: Callable[[str, str], Identity] = identity_of,
    aliases: Mapping[str, str] | None = None,
) -> list[Move]:
    """The moves that `records` support and `lists` do not show yet, in a stable order.

    With `collected`, the ids that pytest collects, no other id is ever added. No test loses
    its last place: where there is nothing to move to, it stays. `identify` says what an entry is
    on a device; `aliases` give old names of tests their present ones.
    """
    moves: list[Move] = []
    for subject in _subjects(records, lists, _Names(identify, aliases or {})):
        wanted = [m for verdict in _judge(subject) for m in _moves(subject, verdict)]
        kept = [m for m in wanted if m.move == "remove" or collected is None or m.test in collected]
        if any(m.move == "add" for m in kept) or len(kept) < len(subject.listed):
            moves += kept
    return moves


def with_flow(entry: str, flow: str) -> str | None:
    """The id of the same test in another flow; None when the id carries no flow to replace."""
    parts = parts_of(entry)
    words, place = parts.words, places_of(parts.words).flow
    if place is None or parts.params is None:
        return None
    words[place] = flow
    return f"{entry.removesuffix(f'[{parts.params}]')}[{'-'.join(words)}]"


@dataclass(frozen=True)
class _Names:
    """What tests are called."""

    identify: Callable[[str, str], Identity]
    aliases: Mapping[str, str]

    def counts(self, record: TestRecord, entry: str) -> bool:
        """Does a record count for the test its id names? A rehearsal at another size does not."""
        identity = record.identity
        return (
            "::" in entry
            and identity.size == BASE_SIZE
            and self.identify(entry, identity.device) == identity.planned
        )

    def of(self, entry: str) -> str:
        """The test whatever its flow and folder, so that a folder renamed is the same test."""
        whole = with_flow(entry, "full")
        identity = self.identify(entry, "")
        name = msgspec.structs.replace(identity, flow="full").name if whole else identity.name
        return renamed(f"{name}@", self.aliases)


@dataclass(frozen=True)
class _Subject:
    """One test on one device: what was seen of it, and where it is listed."""

    test: str
    """Its full-flow entry."""
    device: str
    full: TestRecord | None
    ops: TestRecord | None
    """The latest finished op-by-op record."""
    listed: tuple[Entry, ...]

    def on(self, spec: ListSpec) -> list[str]:
        """This test's entries on a list."""
        return [e.test for e in self.listed if e.list is spec]

    def op_by_op_ids(self) -> list[str]:
        """Its op-by-op ids: the listed ones, or the one that ran, or its framework's own."""
        ops = (NIGHTLY_OP_BY_OP, WEEKLY_OP_BY_OP)
        if known := {test for spec in ops for test in self.on(spec)}:
            return sorted(known)
        if self.ops is not None and self.ops.identity.flow in OP_BY_OP_FLOWS:
            return [listed_as(self.ops)]
        onnx = identity_of(self.test, self.device).framework == "onnx"
        entry = with_flow(self.test, "op_by_op_stablehlo" if onnx else "op_by_op_torch")
        return [entry] if entry else []


class _Verdict(NamedTuple):
    """Where a test belongs, where it does not, and why."""

    into: tuple[ListSpec, ...]
    out_of: tuple[ListSpec, ...]
    reason: str


def _subjects(records: Iterable[TestRecord], lists: Lists, names: _Names) -> Iterator[_Subject]:
    seen: dict[tuple[str, str], list[TestRecord]] = defaultdict(list)
    for record in records:
        entry = listed_as(record)
        if names.counts(record, entry):
            seen[record.identity.device, with_flow(entry, "full") or entry].append(record)
    listed: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for item in lists.entries:
        listed[item.device, names.of(item.test)].append(item)
    for (device, test), found in sorted(seen.items()):
        yield _Subject(
            test=test,
            device=device,
            full=_latest(r for r in found if not _is_op_by_op(r)),
            ops=_latest(r for r in found if _is_op_by_op(r) and _is_whole_walk(r)),
            listed=tuple(listed[device, names.of(test)]),
        )


def _is_op_by_op(record: TestRecord) -> bool:
    """By its id, or because the environment's depth beat the id."""
    return record.identity.flow in OP_BY_OP_FLOWS or record.depth.endswith("OP_BY_OP")


def _latest(records: Iterable[TestRecord]) -> TestRecord | None:
    """The last record that is evidence; a crash only when nothing else is."""
    ordered = sorted(records, key=lambda r: (r.started or 0.0, r.attempt))
    evidence = [r for r in ordered if _is_evidence(r)]
    crashes = [r for r in ordered if r.outcome is Outcome.CRASHED and _stage(r) not in OWN_STAGES]
    found = evidence or crashes
    return found[-1] if found else None


def _is_evidence(record: TestRecord) -> bool:
    if _is_op_by_op(record):
        return _is_whole_walk(record)
    if record.outcome is Outcome.FAILED:
        return _stage(record) in COMPILER_STAGES
    if record.outcome is Outcome.REACHED:
        return record.status >= Status.CONVERTED_TO_TTNN
    if record.outcome is Outcome.PASSED and not record.outputs:
        return False  # nothing was compared
    return record.outcome in FINISHED and record.status is Status.EXECUTED


def _is_whole_walk(record: TestRecord) -> bool:
    """Did it go through all of the model's ops, and not through the one that was asked for?"""
    return record.outcome in FINISHED and record.only_op is None


def _stage(record: TestRecord) -> Stage | None:
    return record.failure.stage if record.failure else None


# --- the rules ------------------------------------------------------------------------------


def _judge(subject: _Subject) -> list[_Verdict]:
    """This module's table."""
    full, ops = subject.full, subject.ops
    in_full = bool(subject.on(NIGHTLY_FULL))
    if full is not None and full.outcome in (Outcome.PASSED, Outcome.INCORRECT):
        return [_runs(full)]
    if full is not None and full.outcome is Outcome.REACHED:
        if full.depth == "EXECUTE":
            return [_compiles_only(full)]
        return [] if in_full else [_compiles(full)]
    if full is not None and (full.outcome is Outcome.FAILED or not in_full):
        return [_does_not_run(full), *_all_ops_compile(full, ops)]
    if full is None and not in_full and ops is not None:
        new = [] if subject.listed else [_goes_op_by_op(ops)]
        return [*new, *_all_ops_compile(None, ops)]
    return []


def _runs(full: TestRecord) -> _Verdict:
    device, pcc = full.identity.device, _worst_pcc(full)
    if full.outcome is Outcome.PASSED:
        reason = f"runs end to end and correctly on {device}{pcc}"
    else:
        reason = (
            f"runs end to end on {device} and is incorrect{pcc}: open the drafted issue, and "
            "disable the failing check with a reference to it"
        )
    return _Verdict(
        (NIGHTLY_FULL, WEEKLY_OP_BY_OP),
        (NIGHTLY_OP_BY_OP, NIGHTLY_E2E_COMPILE),
        reason,
    )


def _compiles_only(full: TestRecord) -> _Verdict:
    device = full.identity.device
    return _Verdict(
        (NIGHTLY_E2E_COMPILE,),
        (NIGHTLY_FULL,),
        f"compiles end to end for {device} ({_status(full)}), which cannot execute here",
    )


def _compiles(full: TestRecord) -> _Verdict:
    device = full.identity.device
    reason = f"compiles end to end for {device} ({_status(full)}), where it was asked to stop"
    return _Verdict((NIGHTLY_E2E_COMPILE,), (), reason)


def _does_not_run(full: TestRecord) -> _Verdict:
    stage = _stage(full)
    where = f" in stage {stage}" if stage else ""
    return _Verdict(
        (NIGHTLY_OP_BY_OP,),
        (NIGHTLY_FULL, WEEKLY_OP_BY_OP),
        f"does not run end to end on {full.identity.device}: {full.outcome}{where}, "
        f"having reached {_status(full)}",
    )


def _goes_op_by_op(ops: TestRecord) -> _Verdict:
    device = ops.identity.device
    reason = f"goes op by op on {device} to the end; nothing is known of it end to end"
    return _Verdict((NIGHTLY_OP_BY_OP,), (), reason)


def _all_ops_compile(full: TestRecord | None, ops: TestRecord | None) -> list[_Verdict]:
    if ops is None or ops.status < Status.CONVERTED_TO_TTNN:
        return []
    device = ops.identity.device
    if ops.status is not Status.EXECUTED:
        rest = "nothing executes here" if ops.outcome is Outcome.REACHED else "some do not execute"
    elif full is not None and _stage(full) is Stage.EXECUTE:
        rest = "the whole model does not execute"
    else:
        return []
    reason = f"every op compiles for {device} and {rest}"
    return [_Verdict((NIGHTLY_E2E_COMPILE,), (), reason)]


def _moves(subject: _Subject, verdict: _Verdict) -> Iterator[Move]:
    """What is missing where the test belongs, and what is left where it does not."""
    for spec in verdict.into:
        op_by_op = spec.flows == OP_BY_OP_FLOWS
        listed = subject.on(spec)
        wanted = subject.op_by_op_ids() if op_by_op else [] if listed else [subject.test]
        for test in wanted:
            if test not in listed:
                yield Move(test, subject.device, "add", spec.name, verdict.reason)
    for spec in verdict.out_of:
        for test in subject.on(spec):
            yield Move(test, subject.device, "remove", spec.name, verdict.reason)


def _status(record: TestRecord) -> str:
    return f"status {record.status:d}: {record.status.name}"


def _worst_pcc(record: TestRecord) -> str:
    pcc = record.pcc
    if pcc is None:
        return ""
    if pcc.value is None:
        return f", PCC {pcc.state}"
    return f", PCC {math.floor(pcc.value * 1e6) / 1e6:.10g}"  # rounded down: 0.9999999 is not 1
