# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Predictions: how far a model will get on a device, by how far its ops got in other models."""

import enum

import msgspec

from bringup.harness.records.values import Outcome, Status

MOST_NAMED = 5
"""Ops that are named of those in the way, and of those never tried."""


class By(enum.StrEnum):
    """Whose end an op's is expected to be, the nearest first."""

    ITSELF = "itself"
    KIN = "kin"
    """Ops of the same name, dtypes, ranks and arguments, in other sizes or with other numbers."""
    NAME = "name"
    """Several ops of the same name and dtypes, of other ranks or with other arguments."""


class OpInTheWay(msgspec.Struct, frozen=True, omit_defaults=True):
    """An op that did not get through where it was tried."""

    name: str
    outcome: Outcome
    status: Status
    why: str
    """The first line of what its compiler said."""
    by: By = By.ITSELF
    """Whether it was this op, or others of its kind."""


class Prediction(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is to be expected of one model on one device."""

    device: str
    ops: int
    """Unique ops of the model."""
    known: int
    """Of them, ops that were tried there as they are."""
    kin: int
    """Ops of whose kin (`By.KIN`) others were tried, all with the same end."""
    named: int
    """Ops of whose name (`By.NAME`) enough others were tried, all with the same end."""
    top: Status
    """The furthest that anything gets on this device on this machine."""
    in_the_way: tuple[OpInTheWay, ...] = ()
    """The one that gets least far first; no more than `MOST_NAMED`."""
    wrong: tuple[str, ...] = ()
    """Names of ops that ran there and whose numbers were wrong."""
    never_tried: tuple[str, ...] = ()
    """Names of the ops that nothing is known of."""
    seconds: float = 0.0
    """That it took to look them up."""

    @property
    def unknown(self) -> int:
        """Ops that nothing is known of."""
        return self.ops - self.known - self.kin - self.named

    @property
    def at_most(self) -> Status:
        """The stage that the model cannot pass by what is known."""
        return min((one.status for one in self.in_the_way), default=self.top)

    @property
    def status(self) -> Status | None:
        """How far the model will get; None: unknown, since some of its ops were never tried."""
        return None if self.unknown else self.at_most

    def said(self) -> str:
        """A line for people."""
        counted = f"{self.known} of {self.ops} ops known"
        counted += f", {self.kin} by their kind" if self.kin else ""
        counted += f", {self.named} by their name" if self.named else ""
        how = f"{self.at_most.name.lower().replace('_', ' ')} ({self.at_most.value})"
        if self.unknown:
            names = ", ".join(self.never_tried[:MOST_NAMED])
            first = f"at most {how}" if self.in_the_way else "unknown"
            said = f"{first}: {self.unknown} of {self.ops} ops were never tried there: {names}"
            said += " ..." if len(self.never_tried) > MOST_NAMED else ""
        else:
            said = f"{how}; {counted}"
        for one in self.in_the_way[:1]:
            like = "" if one.by is By.ITSELF else "an op like "
            said += f"; in the way: {like}{one.name}, {one.outcome.value}: {one.why}"
        if self.wrong:
            said += f"; wrong alone: {', '.join(self.wrong[:MOST_NAMED])}"
        return said


class Predicted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was predicted of one model."""

    model: str
    """As its test names it."""
    on: tuple[Prediction, ...] = ()
    ended: Status | None = None
    """Where it ended before there were ops to look up: the same on every device."""
    why: str = ""
    """What stopped it there."""
