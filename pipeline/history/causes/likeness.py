# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Are two diagnostics, numbers and names of the moment already masked, of one cause?

Of one stage and one op they are where

- one is a stretch of the other: it was cut short, or something stands around it; or
- they name the same things (what is quoted or dotted, or has digits or inner capitals), and all
  but a fifth of their words are the same, in the same order.

Names decide: `No module named 'a'` and `No module named 'b'` differ in one word of four, and are
two things to do.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME_WORDS = 0.8
SHORTEST_STRETCH = 4
"""Words; a stretch of less is found anywhere."""
_MARK = "\x1f"
_TOKEN = re.compile(r"'[^']*'|[\w.:%+-]*\w|%")
_MASKS = frozenset({"N", "SHAPE", "TYPE", "PATH", "LOC", "CORES", "%", "x"})


@dataclass(frozen=True)
class Text:
    """A diagnostic, taken apart once for all its comparisons."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    joined: str
    """The words, each with a mark before and behind it."""
    counted: frozenset[tuple[str, int]]
    """The words, each with how often it came before: what two of them share, both texts have."""

    @classmethod
    def of(cls, text: str) -> "Text":
        """Words and quoted parts, in order."""
        words = tuple(_TOKEN.findall(text))
        joined = "".join(f"{_MARK}{word}{_MARK}" for word in words)
        seen: Counter[str] = Counter()
        counted = set()
        for word in words:
            counted.add((word, seen[word]))
            seen[word] += 1
        return cls(words, tuple(filter(is_name, words)), joined, frozenset(counted))


def is_name(token: str) -> bool:
    """Does a token name a thing, so that another one is another thing?"""
    bare = token.strip("':.")
    if token in _MASKS or not bare:
        return False
    return token.startswith("'") or bool(re.search(r"[\d._:]|.[A-Z]", bare))


def alike(one: Text, other: Text) -> bool:
    """Are two diagnostics of one cause?"""
    short, long = (one, other) if len(one.words) <= len(other.words) else (other, one)
    if len(short.words) >= SHORTEST_STRETCH and short.joined in long.joined:
        return True
    if short.names != long.names:
        return False
    both = len(short.words) + len(long.words)
    if 2 * len(short.counted & long.counted) < SAME_WORDS * both:  # a bound, and cheap
        return False
    return SequenceMatcher(None, short.words, long.words, autojunk=False).ratio() >= SAME_WORDS


def groups(texts: Iterable[tuple[Hashable, str]]) -> list[list[int]]:
    """Positions of texts that are alike, among those of one key; in the order of their first."""
    found: list[list[int]] = []
    near: dict[Hashable, list[tuple[list[int], list[Text]]]] = {}
    for position, (key, text) in enumerate(texts):
        mine = Text.of(text)
        known = near.setdefault(key, [])
        hits = [group for group in known if any(alike(mine, member) for member in group[1])]
        if not hits:
            group = ([position], [mine])
            known.append(group)
            found.append(group[0])
            continue
        first = hits[0]
        first[0].append(position)
        first[1].append(mine)
        for other in hits[1:]:  # this text shows that they are one
            first[0].extend(other[0])
            first[1].extend(other[1])
            known.remove(other)
            found = [members for members in found if members is not other[0]]
    return [sorted(members) for members in found]
