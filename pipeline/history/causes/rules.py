# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""causes.txt, beside the lists: names for causes, with whose they are, one line each.

    # pattern -> name, issue, owner
    failed to legalize * stablehlo.fft -> No FFT on the device, https://example.com/7, @ada
    not enough space * L1 buffer       -> L1 is full

A pattern is words to be found in a failure's stage, op and diagnostic, in any case; `*` stands for
anything. The first line that matches gives its name, and failures of one name are one cause. The
issue (an address, or `#7`, or `project#7`) and the owner may be left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.storage.decoding import read_bytes
from bringup.pipeline.errors import HistoryError

CAUSES_NAME = "causes.txt"
_ARROW = re.compile(r"\s->\s(?!.*\s->\s)")
_ISSUE = re.compile(r"https?://\S+|[\w./-]*#\d+")
_LONGEST = 1000


@dataclass(frozen=True)
class Rule:
    """One line."""

    pattern: str
    name: str
    issue: str = ""
    owner: str = ""
    line: int = 0
    """1-based, in its file."""

    def matches(self, text: str) -> bool:
        """Are the pattern's words in a text, in their order?"""
        at, text = 0, " ".join(text.casefold().split())
        for words in self._words:
            found = text.find(words, at)
            if found < 0:
                return False
            at = found + len(words)
        return True

    @property
    def _words(self) -> list[str]:
        parts = (" ".join(part.split()) for part in self.pattern.casefold().split("*"))
        return [part for part in parts if part]


def read_rules(folder: Path) -> tuple[Rule, ...]:
    """The rules of a folder of lists; none where it has no such file.

    Raises:
        HistoryError: a line is no rule; the sentence has file and line.
        RecordError: the file cannot be read.
    """
    path = folder / CAUSES_NAME
    if not path.exists():
        return ()
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise HistoryError(f"{path} is not UTF-8 text: {error.reason} at {error.start}") from error
    return parse_rules(text, str(path))


def parse_rules(text: str, where: str) -> tuple[Rule, ...]:
    """Rules out of a file's text; `where` is what errors call it.

    Raises:
        HistoryError: a line is no rule.
    """
    rules: dict[str, Rule] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        rule = _rule(line, f"{where}:{number}", number)
        key = " ".join(rule.pattern.casefold().split())
        if key in rules:
            raise HistoryError(f"{where}:{number}: line {rules[key].line} has this pattern already")
        rules[key] = rule
    return tuple(rules.values())


def rule_for(rules: Iterable[Rule], *texts: str) -> Rule | None:
    """The first rule that matches one of the texts."""
    return next((rule for rule in rules if any(rule.matches(text) for text in texts)), None)


def _rule(line: str, where: str, number: int) -> Rule:
    sides = _ARROW.split(f" {line} ")
    if len(sides) != 2:
        raise HistoryError(
            f"{where}: a rule reads `pattern -> name, issue, owner`; ` -> ` is absent"
        )
    pattern, (name, *more) = sides[0].strip(), [part.strip() for part in sides[1].split(",")]
    if not pattern.replace("*", "").strip() or len(line) > _LONGEST:
        raise HistoryError(f"{where}: the pattern has no words of its own, or the line no end")
    if not name:
        raise HistoryError(f"{where}: the rule gives no name")
    issue = owner = ""
    for part in more:
        if _ISSUE.fullmatch(part) and not issue:
            issue = part
        elif part and not owner and not _ISSUE.fullmatch(part):
            owner = part
        else:
            raise HistoryError(
                f"{where}: behind the name stand an issue and an owner at most, {part!r} is neither"
            )
    return Rule(pattern, name, issue, owner, number)
