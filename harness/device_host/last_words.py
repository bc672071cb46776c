# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a host that died, or was stopped, had said of it: one line of all that it wrote.

Python's fault handler writes stacks and a list of modules behind a library's last words, Abseil's
logging a stack behind a failed check, and a warning about itself before it.
"""

import re

NOTHING = "it said nothing"
_LONGEST = 300
_BY_PYTHON = re.compile(
    r"^(?:Fatal Python error: |(?:Current thread|Thread) 0x|process \d+: )", re.MULTILINE
)
_TELLS = re.compile(
    r"^F\d{4} |Check failed|what\(\): |\bAssertion\b|LLVM ERROR|\b[Ff]atal\b|\bFATAL\b|\berror: "
)
_STACK = re.compile(r"^(?:@ +0x|#\d+ |\*\*\*|PC: @|Stack dump|PLEASE submit)")


def last_words(written: str) -> str:
    """The line of a host's output that says why it ended, else the last one that is of no stack."""
    own = _BY_PYTHON.split(written, maxsplit=1)[0]
    lines = [line.strip() for line in own.splitlines()]
    lines = [line for line in lines if line and not _STACK.match(line)]
    telling = next((line for line in lines if _TELLS.search(line)), "")
    return (telling or next(iter(reversed(lines)), NOTHING))[:_LONGEST]
