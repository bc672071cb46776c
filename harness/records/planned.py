# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a plan says of a test beside its name: what it needs, whether it is run again, its turn."""

from typing import Annotated

import msgspec


class DeclaredNeeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a test says that it needs, by `@pytest.mark.needs(...)`."""

    kinds: tuple[str, ...] = ()
    """The devices it may run on; none: any."""
    chips: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Devices of its kind that it works on at once, in one host."""
    memory_gib: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 0.0
    """Memory that its host must have."""
    exclusive: bool = False
    """Nothing else may run beside it in its host."""


class RunAgain(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wanted of a test beyond one run, by the history that its plan was made with."""

    attempts: int = 1
    """Uncached attempts in all that promotion wants of it tonight."""
    new: bool = False
    """Its failing tonight is news, unless its list's entry expects it."""


class Turn(msgspec.Struct, frozen=True):
    """A test's place in a run that has not the time for all; `pipeline.planning.budget` deals them
    out."""

    place: int
    """Among all tests of the run, 1 for the one that tells most."""
    in_time: bool
    """False: it is left out, unless the others take less time than they were expected to."""
    expected_s: float
    """Seconds that it was taken to last."""
    why: str
    """What it would tell, in one sentence."""
