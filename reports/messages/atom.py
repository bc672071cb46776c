# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Regressions of many runs as an Atom feed (RFC 4287): an entry for each run that has any.

Identifiers are of run names alone, so a reader sees no entry twice, wherever the folder lies, and
the same runs give the same bytes.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from bringup.reports.model.changes import day_text
from bringup.reports.model.nights import Head, Night, Regressed
from bringup.reports.text.numbers import moment
from bringup.reports.text.untrusted import clean

_MOST_ENTRIES = 100
_MOST_TESTS = 200
"""Of an entry: its page has all."""


def render(nights: Sequence[Night], folder: Path) -> bytes:
    """The feed: the newest first, at most 100 runs; addresses are relative to `folder`."""
    broken = [(n, n.head) for n in nights if n.head is not None and n.head.regressions]
    newest = max((n.header.created for n in nights), default=0.0)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        "<title>Regressions</title>",
        f"<id>{_urn('regressions')}</id>",
        f"<updated>{_iso(newest)}</updated>",
        "<author><name>bringup</name></author>",
        '<link rel="self" href="regressions.atom"/>',
        '<link rel="alternate" type="text/html" href="index.html"/>',
    ]
    for night, head in broken[:_MOST_ENTRIES]:
        lines += _entry(night, head, folder)
    return "\n".join([*lines, "</feed>", ""]).encode("utf-8", "replace")


def _entry(night: Night, head: Head, folder: Path) -> Iterator[str]:
    at = _iso(max(night.header.created, night.header.resumed))
    page = night.run_dir.relative_to(folder).joinpath("index.html").as_posix()
    yield "<entry>"
    yield f"<title>{_text(f'{night.header.session} {night.header.run_id}: {head.head}')}</title>"
    yield f"<id>{_urn(night.header.run_id)}</id>"
    yield f"<published>{_iso(night.header.created)}</published><updated>{at}</updated>"
    yield f"<link href={quoteattr(quote(page, errors='replace'))}/>"
    items = "".join(_item(test, head) for test in head.regressions[:_MOST_TESTS])
    rest = len(head.regressions) - _MOST_TESTS
    more = f"<p>and {rest} more</p>" if rest > 0 else ""
    # as text of type html: markup of it is escaped once more
    html = f"<p>{_text(head.head)}</p><ul>{items}</ul>{more}"
    yield f'<content type="html">{escape(html)}</content>'
    yield "</entry>"


def _item(test: Regressed, head: Head) -> str:
    outcome = test.outcome.value if test.outcome else "did not run"
    cause = head.cause_of(test)
    good = f", last good {day_text(test.last_good)}" if test.last_good else ""
    why = f": {_text(cause)}" if cause else ""
    command = f"<br/><code>{_text(test.command)}</code>" if test.command else ""
    return f"<li>{_text(test.test)} {outcome}{good}{why}{command}</li>"


def _text(text: str) -> str:
    return escape(" ".join(clean(text).split()))


def _urn(name: str) -> str:
    digest = hashlib.sha256(f"bringup {name}".encode("utf-8", "replace")).hexdigest()
    version, variant = f"8{digest[13:16]}", f"8{digest[17:20]}"
    return f"urn:uuid:{digest[:8]}-{digest[8:12]}-{version}-{variant}-{digest[20:32]}"


def _iso(epoch: float) -> str:
    when = epoch if moment(epoch) is not None else 0.0
    return datetime.fromtimestamp(int(when), UTC).isoformat().replace("+00:00", "Z")
