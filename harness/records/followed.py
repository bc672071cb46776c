# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model's ops fed what the device itself gave: which values are wrong by inheritance.

An op's verdict is on golden inputs: it says whether the op is wrong by itself. Here every op of the
graph, one after the other, got what the device had given for the ops before it. A value that left
tolerance although its op is right by itself has inherited it.
"""

import msgspec

from bringup.harness.records.values import Metric

MOST_NAMED = 200
"""Ops that are named; the others are counted."""


class Past(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The first value of an op that left tolerance, fed the device's own."""

    op_key: str
    index: int
    """As in `OpResult`."""
    op: str
    node: str
    wrong_alone: bool = False
    """Is the op wrong by itself too, on golden inputs?"""
    nodes: int = 1
    """How many of its nodes left tolerance."""
    pcc: Metric | None = None
    """The worst of them, here and below."""
    atol: Metric | None = None
    why: str = ""


class Followed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What came of following the device's own values through a model."""

    nodes: int
    """Ops of the graph, repetitions included."""
    compared: int
    """Of them, those that the device computed from its own values."""
    past: tuple[Past, ...] = ()
    """Ops whose values left tolerance, in the order in which they first did."""
    past_in_all: int = 0
    first_wrong_alone: str = ""
    """The first node in the graph whose op is wrong by itself, with the op, as in
    `log (aten.log.default)`; empty where none is."""
    ended: str = ""
    """Why not all nodes were followed, a sentence; empty where all were."""
    origin: str = ""
    """The run that found it, of the same values, device and code; empty: this one."""

    @property
    def first_past(self) -> str:
        """The first node whose value left tolerance, and its op; empty where none did."""
        return named(self.past[0].node, self.past[0].op) if self.past else ""

    @property
    def inherited(self) -> int:
        """Ops that are named and wrong by inheritance alone."""
        return sum(not one.wrong_alone for one in self.past)

    def said(self) -> str:
        """A sentence for people."""
        alone = self.first_wrong_alone or "none"
        past = self.first_past or "none"
        said = f"first op wrong by itself: {alone}; first op past tolerance: {past}"
        said += f"; {self.inherited} wrong by inheritance" if self.inherited else ""
        said += f"; {self.ended}" if self.ended else ""
        return f"{said}; as {self.origin} found" if self.origin else said


def named(node: str, op: str) -> str:
    """A node with its op, for people."""
    return f"{node} ({op})"
