# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Events of ops that say no more than records are made of."""

from bringup.harness.records.schema import (
    AnyEvent,
    Op,
    OpEnded,
    OpResult,
    OpVerdict,
    Outcome,
    Status,
)


class Lean:
    """Makes events that say no more of an op than records are made of: `fold` gives the same.

    Of 300,000 op results a few thousand differ in that, and those that do not are one object: a
    merge of many shards holds no more of them.
    """

    def __init__(self) -> None:
        self._results: dict[tuple[str, str, Status, Outcome], OpResult] = {}
        self._tests: dict[str, str] = {}

    def __call__(self, event: AnyEvent) -> AnyEvent:
        """The event, or one that takes its place."""
        if not isinstance(event, OpEnded):
            return event
        verdict = event.result.verdict
        known = (verdict.op.key, verdict.device, verdict.status, verdict.outcome)
        result = self._results.get(known)
        if result is None:
            lean = OpVerdict(
                op=Op(verdict.op.key, verdict.op.name, verdict.op.source),
                device=verdict.device,
                status=verdict.status,
                outcome=verdict.outcome,
            )
            result = self._results[known] = OpResult(index=0, count=1, node="", verdict=lean)
        key = self._tests.setdefault(event.key, event.key)
        return OpEnded(time=event.time, key=key, result=result)
