# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How a person starts a command on a run: as the run was started, so its tests are found again.

A run's plan and header keep it as a text, the door and the options that name places: `nox`, or
`bringup --tests '../my models'`. Whoever reads the run elsewhere says what is right where it ran.
"""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from bringup.harness.records.door import Door, command, door_to
from bringup.harness.records.variable_names import STARTED_BY_VARIABLE

PLACES = ("--tests", "--models", "--lists", "--extensions")
"""The options without which a run again would not find its tests, or what they need."""


@dataclass(frozen=True)
class Advice:
    """The door of a run, and the options that it was given and that are not what holds anyway."""

    door: Door = Door.NOX
    """Of runs of older versions, too."""
    places: tuple[str, ...] = ()
    """Of `PLACES`, each with its value behind it."""

    @property
    def text(self) -> str:
        """As a run keeps it."""
        return shlex.join([self.door, *self.places])

    def command(self, verb: str, *words: str) -> str:
        """The line of shell for a verb."""
        return command(verb, *words, door=self.door)

    @property
    def loaders(self) -> tuple[str, ...]:
        """The repositories of loaders among the places, each behind its option."""
        pairs = zip(self.places[::2], self.places[1::2], strict=True)
        return tuple(word for pair in pairs if pair[0] == "--models" for word in pair)

    def run(self, *words: str) -> str:
        """The line of shell that runs some of the tests again."""
        return self.command("run", *words, *self.places)


THROUGH_NOX = Advice()
"""Of a run that says nothing else."""


def read_advice(text: str) -> Advice:
    """What a run keeps, which may be anybody's: all that is not of that form is left out."""
    try:
        door, *words = shlex.split(text)
        pairs = zip(words[::2], words[1::2], strict=True)
        return Advice(Door(door), tuple(w for pair in pairs if pair[0] in PLACES for w in pair))
    except ValueError:
        return Advice()


def advice_here(places: Sequence[str] = ()) -> Advice:
    """Inside a run that run's; else by what leads to `run` in the working directory."""
    said = os.environ.get(STARTED_BY_VARIABLE, "")
    return read_advice(said) if said else Advice(door_to("run"), tuple(places))
