# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a check found: how grave that is, what it is about, what to do."""

import enum
from dataclasses import dataclass


class Level(enum.IntEnum):
    """How grave a finding is."""

    FINE = 0
    ABSENT = 1
    """Something is not here that the main job does without."""
    MISSING = 2
    """The main job cannot run without it."""


_WORDS = {Level.FINE: "ok", Level.ABSENT: "absent", Level.MISSING: "missing"}


@dataclass(frozen=True)
class CheckResult:
    """One line of the doctor."""

    level: Level
    about: str
    says: str
    remedy: str = ""
    """How to get it."""

    @property
    def text(self) -> str:
        """As it is printed; control characters, which could drive a terminal, become spaces."""
        line = f"{_WORDS[self.level]:<8} {self.about:<14} {self.says}"
        lines = [line, f"{'':<24}{self.remedy}"] if self.remedy else [line]
        clean = ("".join(c if c.isprintable() else " " for c in text) for text in lines)
        return "\n".join(text.encode("utf-8", "replace").decode("utf-8") for text in clean)
