# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a verdict depends on, which verdicts may be kept, and when two of them disagree."""

import hashlib
from datetime import UTC, datetime

from bringup.harness.records.fingerprint import is_current
from bringup.harness.records.machine_faults import is_machines
from bringup.harness.records.schema import Metric, OpVerdict, Outcome

COMPILER_SIGNALS = frozenset({"SIGSEGV", "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP"})
"""Deaths by the program's own doing. SIGKILL and SIGBUS come from memory and disk."""
_JUDGED = frozenset({Outcome.PASSED, Outcome.REACHED, Outcome.INCORRECT, Outcome.FAILED})
_DOUBTFUL_KINDS = frozenset({"OUT_OF_MEMORY", "OSError"})
_DOUBTFUL_WORDS = ("bad_alloc", "out of memory")
"""Said of what may be the machine's as well as the op's: a finding, but not one to keep."""


def cacheable(verdict: OpVerdict, diagnostic: str = "") -> bool:
    """True for a verdict on the op; False where the machine may have been the cause.

    A deadline is a matter of the machine's load: a TIMEOUT is never kept. A crash is kept when
    its signal is one that compilers raise themselves and nothing speaks of memory or disk.
    """
    failure = verdict.failure
    if verdict.outcome is Outcome.DOES_NOT_FIT:  # the described device's memory, not this machine's
        return True
    if failure is not None:
        said = f"{failure.message}\n{diagnostic}"
        if is_machines(failure.kind, said) or failure.kind in _DOUBTFUL_KINDS:
            return False
        if any(word in said.lower() for word in _DOUBTFUL_WORDS):
            return False
    if verdict.outcome is Outcome.CRASHED:
        return failure is not None and failure.kind in COMPILER_SIGNALS
    return verdict.outcome in _JUDGED


def chosen_for_recheck(key: str, share: float, seed: int) -> bool:
    """Whether a hit belongs to the `share` (0 to 1) that is computed again; the same for a seed."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


PCC_TOLERANCE = 1e-3
ATOL_FACTOR = 32.0
"""Between two largest differences; reductions in another order, on other threads, move them."""
_ATOL_NOISE = 1e-5


def disagreement(old: OpVerdict, new: OpVerdict) -> str:
    """One sentence when a verdict computed again ends otherwise, else an empty string."""
    said = _difference(old, new)
    if not said:
        return ""
    which = f"{old.op.name} ({old.op.key[:16]}) on {old.device}"
    return f"{which}: {said}; kept: {_short(old)}; now: {_short(new)}."


def _difference(old: OpVerdict, new: OpVerdict) -> str:
    for what in ("status", "outcome", "fingerprint"):
        before, after = getattr(old, what), getattr(new, what)
        if what == "fingerprint" and before and not is_current(before):
            continue  # another version's says nothing of this one's
        if before != after:
            before, after = (getattr(one, "name", one) or "none" for one in (before, after))
            return f"the {what} kept is {before}, computed again it is {after}"
    if old.values != new.values:  # the numbers are those of other operands
        return ""
    for what in ("pcc", "atol"):
        before, after = getattr(old, what), getattr(new, what)
        if not _agree(what, before, after):
            numbers = [_number(metric) for metric in (before, after)]
            return f"the {what} kept is {numbers[0]}, computed again {numbers[1]}"
    return ""


def _short(verdict: OpVerdict) -> str:
    moment = datetime.fromtimestamp(verdict.computed, UTC)
    where = f"run {verdict.origin or 'unknown'}, {moment:%Y-%m-%d %H:%M} UTC"
    return f"{verdict.outcome.value} at {verdict.status.name} ({where})"


def _agree(what: str, before: Metric | None, after: Metric | None) -> bool:
    if before is None or after is None or before.value is None or after.value is None:
        return before == after
    smaller, larger = sorted((before.value, after.value))
    if what == "pcc":
        return larger - smaller <= PCC_TOLERANCE
    return larger <= max(ATOL_FACTOR * smaller, _ATOL_NOISE)


def _number(metric: Metric | None) -> str:
    if metric is None:
        return "none"
    return metric.state.value if metric.value is None else repr(metric.value)
