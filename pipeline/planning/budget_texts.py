# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a person is told of a run's budget: what fits in, what is left out, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bringup.harness.records.schema import PlannedTest, Turn
from bringup.pipeline.option_values import span_text
from bringup.pipeline.planning.budget import is_in_time

MOST_NAMED = 5


def before_the_run(
    budget_s: float, tests: Sequence[PlannedTest], slots: int, *, name: bool = True
) -> Iterator[str]:
    """Sentences: how many of the tests fit in, for which reasons, and which do not; with `name` the
    first of these by name."""
    fit = [test for test in tests if is_in_time(test)]
    out = [test for test in tests if not is_in_time(test)]
    work = minutes(sum(t.turn.expected_s for t in fit if t.turn))
    many = "1 at a time" if slots == 1 else f"{slots} at a time"
    yield (
        f"budget {span_text(budget_s)}: {len(fit)} of {len(tests)} tests fit in, about {work} of "
        f"work, {many}: {by_reason(fit)}"
    )
    if out:
        yield f"left out unless time is left: {len(out)}: {by_reason(out)}"
        yield from named(out) if name else ()


def after_the_run(budget_s: float, tests: Sequence[PlannedTest], goes_on: str) -> Iterator[str]:
    """Sentences on the tests that the budget left out; none where all were run. `goes_on` is the
    command that runs them."""
    if tests:
        yield f"left out by the budget of {span_text(budget_s)}: {len(tests)}: {by_reason(tests)}"
        yield f"they are no evidence of anything; `{goes_on}` runs them"


def by_reason(tests: Iterable[PlannedTest]) -> str:
    """`12 new, 3 changed`: how many tests have which reason, in the order of their places."""
    counts = Counter(turn.why.partition(": ")[0] for turn in _turns(tests))
    return ", ".join(f"{n} {reason}" for reason, n in counts.items()) or "none"


def named(tests: Sequence[PlannedTest]) -> Iterator[str]:
    """The first of them with their reasons, a line each."""
    ordered = sorted((t for t in tests if t.turn), key=lambda t: t.turn.place if t.turn else 0)
    for test in ordered[:MOST_NAMED]:
        assert test.turn is not None
        took = minutes(test.turn.expected_s)
        yield f"    {test.identity.key}, about {took}: {test.turn.why}"
    if ordered[MOST_NAMED:]:
        yield f"    and {len(ordered) - MOST_NAMED} more; --dry-run names all"


def _turns(tests: Iterable[PlannedTest]) -> list[Turn]:
    return sorted((t.turn for t in tests if t.turn is not None), key=lambda turn: turn.place)


def minutes(seconds: float) -> str:
    """`59 s`, `3:20`, `2:03:20`."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}" if rest >= 60 else f"{rest} s"
