# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The one word of a test tonight, from what is known of it."""

from collections.abc import Collection
from dataclasses import dataclass

from bringup.harness.records.night import Word
from bringup.harness.records.values import Outcome
from bringup.pipeline.history.samples import Excluded

MACHINES = frozenset({Excluded.MACHINE, Excluded.SUSPECT_DEVICE, Excluded.MASS_FAILURE})
SAYS_NOTHING = frozenset(
    {Excluded.UNCOMPARED, Excluded.SKIPPED, Excluded.PARTIAL, Excluded.SUPERSEDED}
)
BAD_FLIPS, GOOD_FLIPS, MANY_FLIPS = 3, 2, 4
"""Changes since the last break from which a test is a flake: where it is bad tonight, where it is
good after one bad night, where it is good after several."""


@dataclass(frozen=True)
class Known:
    """All that the word of one test depends on."""

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
    promised: Collection[Outcome] | None = None
    """By its list; None where none says anything."""
    confirmed: Word | None = None
    """What running it again at once came to."""


def word_of(known: Known) -> tuple[Word, bool]:
    """The word, and whether more than one night stands behind it."""
    if known.outcome in (None, Outcome.NOT_RUN):
        return Word.MISSING, False
    if known.excluded in SAYS_NOTHING:
        return Word.NO_EVIDENCE, False
    if known.good:
        return _good(known)
    if known.confirmed in (Word.FLAKE, Word.DEVICE):
        return known.confirmed, True
    if known.excluded in MACHINES:
        return Word.DEVICE, False
    return _bad(known)


def _good(known: Known) -> tuple[Word, bool]:
    if known.promised is not None and known.outcome not in known.promised:
        return Word.UNEXPECTED_PASS, False
    if known.mixed:
        return Word.FLAKE, True
    if known.good_before is not False:
        return Word.GOOD, False
    if known.broke:
        return Word.FIXED, True
    once = known.flips >= GOOD_FLIPS and known.bad_streak == 1
    return (Word.FLAKE if once or known.flips >= MANY_FLIPS else Word.FIXED), False


def _bad(known: Known) -> tuple[Word, bool]:
    if known.mixed:
        return Word.FLAKE, True
    confirmed = known.confirmed is Word.REGRESSION
    if known.good_before is None:
        return (Word.KNOWN if known.seen_before else Word.NEW), confirmed
    if known.broke or confirmed:
        return (Word.REGRESSION if known.good_before else Word.KNOWN), True
    if known.same_program or known.flips >= BAD_FLIPS:
        return Word.FLAKE, False
    return (Word.SUSPECTED if known.good_before else Word.KNOWN), False
