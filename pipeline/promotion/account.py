# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One test on one device: where it stands, since when, on what evidence, what would move it."""

import math
from collections.abc import Collection, Iterable, Mapping

import msgspec

from bringup.harness.records.moves import Evidence
from bringup.pipeline.history.judge.columns import Columns, columns_of
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.promotion.decide import Ways
from bringup.pipeline.promotion.ladder import LISTS, RANK, Level, Standing
from bringup.pipeline.promotion.policy import Policy, default_policy
from bringup.pipeline.promotion.weighing import Place, weigh


class Way(msgspec.Struct, frozen=True):
    """One way on from where a test stands."""

    to: Standing
    evidence: Evidence
    """So far; `more` and `more_nights` say what is missing."""
    says: str
    """One sentence: what has to be seen, and how much of it is missing."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of a test's standing."""

    test: str
    """`Identity.key` of its full flow."""
    device: str
    standing: Standing
    lists: tuple[str, ...]
    """Names of the lists that such a test is on."""
    since: float | None
    """Since when it stands there, seconds since the epoch; None: nobody knows."""
    seen: str
    """One sentence: what its last nights came to."""
    ways: tuple[Way, ...]
    """Up, then down; those that are possible from here."""
    blocked: tuple[str, ...]
    """Sentences: what keeps it where it is, whatever is seen."""
    owner: str = ""


def account_of(
    samples: Iterable[Sample] | Columns,
    test: str,
    places: Mapping[str, Place],
    policy: Policy | None = None,
    compile_only: Collection[str] = (),
    ops_compile: Collection[str] = (),
) -> Account:
    """Where a test stands, and what would move it.

    Args:
        samples: As `propose`. Of this test alone they do; then no night is known on which its
            whole device failed.
        test: `Identity.key` of its full flow.
        places: As `propose`, and so are the others.
    """
    (one,) = accounts_of(samples, [test], places, policy, compile_only, ops_compile)
    return one


def accounts_of(
    samples: Iterable[Sample] | Columns,
    tests: Iterable[str],
    places: Mapping[str, Place],
    policy: Policy | None = None,
    compile_only: Collection[str] = (),
    ops_compile: Collection[str] = (),
) -> list[Account]:
    """`account_of` of several tests, weighed once."""
    policy = policy or default_policy()
    columns = samples if isinstance(samples, Columns) else columns_of(samples)
    weighed = weigh(columns, places, policy, compile_only)
    on = Ways(weighed, policy, compile_only, ops_compile)
    position = {name: i for i, name in enumerate(weighed.tests)}
    return [_account(on, test, position.get(test, -1), places) for test in tests]


def _account(on: Ways, test: str, at: int, places: Mapping[str, Place]) -> Account:
    """`at` is its position among what is weighed; -1 where no night knows it."""
    place, policy = places.get(test, Place(Standing.NEW)), on.policy
    ways: tuple[Way, ...] = ()
    blocked, seen = _blocked(test, place, policy), "no night says anything of it yet"
    if at >= 0 and on.weighed.found.level[at] >= 0:
        seen, ways = _seen(on, at), _ways(on, at, place.standing)
        if not on.weighed.rested[at]:
            cool = policy.promote.cool_down
            blocked = (*blocked, f"it went down less than {cool} nights ago, and rests")
        if on.weighed.unvouched[at]:
            blocked = (*blocked, _unvouched(on, at, test))
        if on.weighed.unseen[at]:
            blocked = (*blocked, "nothing of its device's newest night says how it is by now")
    return Account(
        test=test,
        device=test.rpartition("@")[2],
        standing=place.standing,
        lists=tuple(spec.name for spec in LISTS.get(place.standing, ())),
        since=place.since if math.isfinite(place.since) else None,
        seen=seen,
        ways=ways,
        blocked=blocked,
        owner=policy.owner_of(test),
    )


def _blocked(test: str, place: Place, policy: Policy) -> tuple[str, ...]:
    found = []
    if pin := policy.pin_of(test):
        found.append(f"it is pinned by {pin!r} in the policy")
    if place.standing is Standing.SKIPPED:
        found.append("it is skipped: somebody has to take that back")
    return tuple(found)


def _unvouched(on: Ways, at: int, test: str) -> str:
    """What a device has to show before a test of its is demoted."""
    doubt = float(on.weighed.doubt[at])
    return (
        f"it failed often enough to go down, and with a chance of {doubt:.2g} that is "
        f"{test.rpartition('@')[2]}, by what else ran on it; it waits until that is at most "
        f"{on.policy.demote.doubt:g}"
    )


def _seen(on: Ways, at: int) -> str:
    up, down, level = on.up(at), on.down(at), Level(int(on.weighed.found.level[at]))
    said = f"{level.name.lower()} in the newest run that counts ({up.run})"
    if down.in_a_row:
        return f"{said}: {down.in_a_row} failures one after another in {_counted(down.nights)}"
    if level is Level.BROKEN or not up.in_a_row:
        return said
    return f"{said}: {up.in_a_row} good attempts one after another on {_counted(up.nights)}"


def _counted(nights: int) -> str:
    return "1 night" if nights == 1 else f"{nights} nights"


def _ways(on: Ways, at: int, standing: Standing) -> tuple[Way, ...]:
    found = []
    target, up, down = on.target(at), on.up(at), on.down(at)
    if RANK[target] > RANK[standing]:
        found.append(Way(target, up, _needs(up, "good")))
    elif standing in (Standing.NEW, Standing.OP_BY_OP, Standing.OP_BY_OP_COMPILE):
        top = Standing.COMPILE if on.is_compile_only(at) else Standing.FULL
        fresh = msgspec.structs.replace(up, in_a_row=0, nights=0)
        found.append(Way(top, fresh, f"a good run; then {_needs(fresh, 'good')}"))
    if on.weighed.needs[at] > Level.BROKEN:
        below = target if RANK[target] < RANK[standing] else Standing.OP_BY_OP
        found.append(Way(below, down, _needs(down, "bad")))
    return tuple(found)


def _needs(evidence: Evidence, word: str) -> str:
    """`7 more good attempts one after another, on 1 more night`."""
    e = evidence
    if not e.more and not e.more_nights:
        return f"{e.in_a_row} {word} attempts one after another are enough ({e.needed} are needed)"
    attempts = "attempt" if e.more == 1 else "attempts"
    said = f"{e.more} more {word} {attempts} one after another" if e.more else f"good {attempts}"
    if not e.more_nights:
        return said
    return f"{said} on {e.more_nights} more {'night' if e.more_nights == 1 else 'nights'}"
