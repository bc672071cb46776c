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
from collections.abc import Hashable, Iterable, Sequence
from difflib import SequenceMatcher

SAME_WORDS = 0.8
SHORTEST_STRETCH = 4
"""Words; a stretch of less is found anywhere."""
_TOKEN = re.compile(r"'[^']*'|[\w.:%+-]*\w|%")
_MASKS = frozenset({"N", "SHAPE", "TYPE", "PATH", "LOC", "CORES", "%", "x"})


def tokens(text: str) -> tuple[str, ...]:
    """Words and quoted parts, in order."""
    return tuple(_TOKEN.findall(text))


def is_name(token: str) -> bool:
    """Does a token name a thing, so that another one is another thing?"""
    bare = token.strip("':.")
    if token in _MASKS or not bare:
        return False
    return token.startswith("'") or bool(re.search(r"[\d._:]|.[A-Z]", bare))


def alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Are two texts, as tokens, of one cause?"""
    short, long = sorted((tuple(one), tuple(other)), key=len)
    if len(short) >= SHORTEST_STRETCH and _is_stretch(short, long):
        return True
    if [t for t in short if is_name(t)] != [t for t in long if is_name(t)]:
        return False
    return SequenceMatcher(None, short, long, autojunk=False).ratio() >= SAME_WORDS


def groups(texts: Iterable[tuple[Hashable, str]]) -> list[list[int]]:
    """Positions of texts that are alike, among those of one key; in the order of their first."""
    found: list[list[int]] = []
    leaders: dict[Hashable, list[tuple[list[int], list[tuple[str, ...]]]]] = {}
    for position, (key, text) in enumerate(texts):
        words = tokens(text)
        near = leaders.setdefault(key, [])
        hits = [group for group in near if any(alike(words, member) for member in group[1])]
        if not hits:
            group = ([position], [words])
            near.append(group)
            found.append(group[0])
            continue
        first = hits[0]
        first[0].append(position)
        first[1].append(words)
        for other in hits[1:]:  # this text shows that they are one
            first[0].extend(other[0])
            first[1].extend(other[1])
            near.remove(other)
            found = [members for members in found if members is not other[0]]
    return [sorted(members) for members in found]


def _is_stretch(short: Sequence[str], long: Sequence[str]) -> bool:
    width = len(short)
    return any(long[i : i + width] == short for i in range(len(long) - width + 1))
