# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run as the payload of an incoming webhook, as Slack, Mattermost and others take it.

Source: Slack's reference of layout blocks: a `header` has 150 characters, a `section` 3,000, a
message 50 blocks; in `mrkdwn` the characters &, < and > are escaped.
"""

import json
from collections.abc import Iterator, Mapping

from bringup.reports.model import changes
from bringup.reports.model.run import RunSummary
from bringup.reports.text.untrusted import clean

_MOST_CAUSES = 10
_MOST_FAILURES = 10
_LONGEST_HEADER = 150
_LONGEST_SECTION = 3_000


def render(run: RunSummary) -> bytes:
    """The payload: `text` for a notification, `blocks` for the message."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": _header(run)}},
        *(_section(text) for text in _sections(run)),
    ]
    payload = {"text": _escaped(changes.headline(run), _LONGEST_SECTION), "blocks": blocks}
    return json.dumps(payload, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def _header(run: RunSummary) -> str:
    return _cut(clean(changes.title(run)), _LONGEST_HEADER)


def _sections(run: RunSummary) -> Iterator[str]:
    against = changes.against(run.night)
    head = f"*{_escaped(changes.headline(run), 2_000)}*"
    yield f"{head}\n{_escaped(against, 500)}" if against else head
    found = changes.causes(run.night)
    for cause in found[:_MOST_CAUSES]:
        told = " · ".join(part for part in (cause.where, cause.since, cause.note) if part)
        name = f"*{cause.flag}* {_escaped(cause.cluster.name, 500)}"
        yield f"{name}\n{_escaped(told, 500)}{_command(cause.cluster.command)}"
    if len(found) > _MOST_CAUSES:
        yield f"and {len(found) - _MOST_CAUSES} more causes"
    rest = changes.unexplained(run)
    for result in rest[:_MOST_FAILURES]:
        name = f"*{result.record.outcome.value}* {_escaped(result.identity.planned.key, 500)}"
        yield f"{name}\n{_escaped(result.failure_line, 500)}{_command(result.command)}"
    if len(rest) > _MOST_FAILURES:
        yield f"and {len(rest) - _MOST_FAILURES} more failures"
    if run.anything_missing:
        yield f"*{_escaped(run.alarm, 500)}*"


def _command(text: str) -> str:
    return f"\n`{_escaped(text, 1_000).replace('`', chr(39))}`" if text else ""


def _section(text: str) -> Mapping[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _LONGEST_SECTION)}}


def _escaped(text: str, longest: int) -> str:
    """A text on one line that mentions nobody and links nowhere."""
    line = _cut(" ".join(clean(text).split()), longest)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
