# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The one judgement of a test tonight, from what is known of it."""

from dataclasses import dataclass

from bringup.harness.records.night import Judgement
from bringup.harness.records.values import Outcome
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.lists.expectations import Kept

MACHINES = frozenset({Excluded.MACHINE, Excluded.SUSPECT_DEVICE, Excluded.MASS_FAILURE})
SAYS_NOTHING = frozenset(
    {Excluded.UNCOMPARED, Excluded.SKIPPED, Excluded.PARTIAL, Excluded.SUPERSEDED}
)
BAD_FLIPS, GOOD_FLIPS, MANY_FLIPS = 3, 2, 4
"""Changes since the last break from which a test is a flake: where it is bad tonight, where it is
good after one bad night, where it is good after several."""


@dataclass(frozen=True)
class Known:
    """All that the judgement of one test depends on."""

    outcome: Outcome | None
    """None: nobody ran it."""
    good: bool = False
    excluded: Excluded = Excluded.NONE
    good_before: bool | None = None
    """At the baseline; None where it was not there."""
    seen_before: bool = True
    mixed: bool = False
    """Tonight's attempts came out both ways."""
    broke: bool = False
    """The last segment is a break to what it is tonight."""
    same_program: bool = False
    """The last good night ran the same artifact, with the same versions of everything."""
    flips: int = 0
    """Since the last break."""
    bad_streak: int = 0
    """Of the bad nights in a row that end tonight, or ended just before."""
    kept: Kept | None = None
    """What it made of its promise; None where there is none."""
    other_failure: bool = True
    """It does not fail as at the baseline."""
    confirmed: Judgement | None = None
    """What running it again at once came to."""


def judgement_of(known: Known) -> tuple[Judgement, bool]:
    """The judgement, and whether more than one night stands behind it."""
    if known.outcome in (None, Outcome.NOT_RUN):
        return Judgement.MISSING, False
    if known.excluded in SAYS_NOTHING:
        return Judgement.NO_EVIDENCE, False
    if known.good:
        return _good(known)
    if known.confirmed in (Judgement.FLAKE, Judgement.DEVICE):
        return known.confirmed, True
    if known.excluded in MACHINES:
        return Judgement.DEVICE, False
    return _bad(known)


def _good(known: Known) -> tuple[Judgement, bool]:
    if known.kept is Kept.UNEXPECTED_PASS:
        return Judgement.UNEXPECTED_PASS, False
    if known.mixed:
        return Judgement.FLAKE, True
    if known.good_before is not False:
        return Judgement.GOOD, False
    if known.broke:
        return Judgement.FIXED, True
    once = known.flips >= GOOD_FLIPS and known.bad_streak == 1
    return (Judgement.FLAKE if once or known.flips >= MANY_FLIPS else Judgement.FIXED), False


def _bad(known: Known) -> tuple[Judgement, bool]:
    if known.mixed:
        return Judgement.FLAKE, True
    if known.kept is Kept.EXPECTED_FAILURE:
        return Judgement.KNOWN, True
    confirmed = known.confirmed is Judgement.REGRESSION
    if known.kept is Kept.OTHERWISE and not known.good_before and known.other_failure:
        return Judgement.NEW, confirmed
    if known.good_before is None:
        return (Judgement.KNOWN if known.seen_before else Judgement.NEW), confirmed
    if known.broke or confirmed:
        return (Judgement.REGRESSION if known.good_before else Judgement.KNOWN), True
    if known.same_program or known.flips >= BAD_FLIPS:
        return Judgement.FLAKE, False
    return (Judgement.SUSPECTED if known.good_before else Judgement.KNOWN), False
