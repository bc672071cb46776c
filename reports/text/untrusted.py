# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Text from a record: it may come from a crashed compiler or from a stranger's pull request.

Whatever a format shows goes through here first. Escaping for a format stays with that
format; this module takes away what no format can carry safely, and keeps the rest as it is.
"""

import re
import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

from bringup.harness.records.advice import THROUGH_NOX, Advice
from bringup.harness.records.naming import entry_of, run_again
from bringup.harness.records.schema import Identity

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
)
_LINE_END = re.compile(r"\r\n?")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LINK = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def clean(text: str) -> str:
    """Drop terminal escapes and control characters; name marks that would reorder the text.

    A right-to-left override can make a command read as another one, so it is shown as
    `⟨U+202E⟩`. Letters of right-to-left scripts stay.
    """
    if text.isprintable():  # then there is nothing of the kind in it
        return text
    text = _ESCAPE_SEQUENCE.sub("", _LINE_END.sub("\n", text))
    return _DIRECTION.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", _UNPRINTABLE.sub("", text))


def shown_name(text: str) -> str:
    """A name on one line; of one that has nothing to show, that it has none."""
    return " ".join(clean(text).split()) or "(no name)"


def first_line(text: str) -> str:
    """The first line that says something; empty when none does."""
    return next((line.strip() for line in clean(text).splitlines() if line.strip()), "")


def link_spans(text: str) -> list[tuple[str, str]]:
    """Cut a note into (text, address) pieces; the address is empty for plain text.

    Only whole http and https addresses with a host become links.
    """
    pieces, done = [], 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?)]}")
        if _has_host(address):
            pieces += [(text[done : match.start()], ""), (address, address)]
            done = match.start() + len(address)
    pieces.append((text[done:], ""))
    return [(span, address) for span, address in pieces if span]


def _has_host(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname)
    except ValueError:
        return False


def command_to_repeat(
    nodeid: str,
    identity: Identity,
    environment: Mapping[str, str],
    entry: str = "",
    advice: Advice = THROUGH_NOX,
) -> str:
    """The shell line that runs one test again, as its run was started; empty when the id cannot be
    an argument."""
    device = identity.device
    named = entry or entry_of(nodeid, device)
    if not named or named.startswith("-") or device.startswith("-"):
        return ""
    settings = [
        f"{name}={shlex.quote(value)}"
        for name, value in sorted(environment.items())
        if _VARIABLE.fullmatch(name)
    ]
    return clean(" ".join([*settings, run_again(nodeid, identity, entry, advice)]))
