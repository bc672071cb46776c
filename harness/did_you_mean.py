# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What somebody who mistyped a word may have meant."""

import difflib
from collections.abc import Iterable


def hint(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """`; did you mean X?`, or nothing; capital letters make no difference.

    At a `cutoff` of 1 only the word itself is near enough.
    """
    by_lower = {name.casefold(): name for name in sorted(known, reverse=True)}
    near = difflib.get_close_matches(word.casefold(), by_lower, n=1, cutoff=cutoff)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""
