# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Asking a test what its model will come to, in place of running it.

The session holds the question, as it holds the request to search a model (`harness.reduce`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bringup.harness.records.predictions import Predicted
from bringup.harness.session import current


@dataclass
class Question:
    """The devices that are asked about, and what came of it."""

    devices: Mapping[str, bool]
    """By name: does it execute on this machine?"""
    answers: list[Predicted] = field(default_factory=list)
    """Of every model that a test was asked of."""


def asked() -> Question | None:
    """What the session, or the one around it, holds: the next test is not run."""
    return current().find(Question)
