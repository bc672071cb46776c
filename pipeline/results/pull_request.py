# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night's moves as a change to be reviewed: branch, title and body, for a workflow to open.

The text is a function of the moves and of what history says of their tests: the same night gives
the same branch and body, so that opening it twice is seen.
"""

import hashlib
import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bringup.harness.records.door import command
from bringup.harness.records.moves import Move
from bringup.harness.records.night import Moment
from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.history.samples import Sample
from bringup.pipeline.results.markdown import code, table

FOLDER = "pull_request"
SCRIPT = "commands.sh"
LIMIT = 65_536
"""Characters that GitHub takes as a body; in bytes this is on the safe side."""
SHOWN_NIGHTS = 30
_ROOM = 2_000
"""Bytes kept for what stands around the table's rows."""
_HEAD = ("test", "device", "from", "to", "evidence", f"last {SHOWN_NIGHTS} nights", "owner")


@dataclass(frozen=True)
class PullRequest:
    """What a platform is told."""

    branch: str
    title: str
    body: str


def pull_request(
    moves: Sequence[Move],
    night: Moment,
    recent: Mapping[str, str] | None = None,
    remarks: Sequence[str] = (),
    incidents: Mapping[str, str] | None = None,
) -> PullRequest:
    """The change that some moves are, after a night.

    Args:
        moves: At least one, where there is no incident.
        recent: By key of a test's full flow, its last nights (`recent_nights`).
        remarks: Sentences for the reviewer, e.g. suggested pins.
        incidents: Texts of the files of incidents that go along, by name.
    """
    steps = list(_steps(moves).values())
    day = f"{datetime.fromtimestamp(night.at, UTC):%Y-%m-%d}"
    counts = Counter(_direction(own[0]) for own in steps)
    said = ", ".join(f"{counts[word]} {word}" for word in _DIRECTIONS if counts[word])
    said = said or "incidents"
    digest = _digest(moves, incidents or {})
    along = [f"the incident {name} goes along" for name in incidents or ()]
    return PullRequest(
        branch=f"promote/{day}-{digest[:8]}",
        title=f"Lists after the night of {day}: {said}",
        body=_body(steps, counts, night, digest, recent or {}, [*remarks, *along]),
    )


def write_pull_request(run_dir: Path, request: PullRequest, diff: str) -> list[Path]:
    """Write `branch`, `title`, `body.md`, `lists.diff` and `commands.sh`, for GitHub's command-line
    tool, below a run's directory.

    Raises:
        RecordError: the disk is full or gone.
    """
    folder = run_dir / FOLDER
    texts = {
        "branch": request.branch + "\n",
        "title": request.title + "\n",
        "body.md": request.body,
        "lists.diff": diff,
        SCRIPT: _script(folder, request),
    }
    return [
        write_atomically(folder / name, text.encode("utf-8", "replace"))
        for name, text in texts.items()
    ]


def _script(folder: Path, request: PullRequest) -> str:
    """Push the branch, and open the pull request unless it is open."""
    branch, title = shlex.quote(request.branch), shlex.quote(request.title)
    body = shlex.quote(str(folder / "body.md"))
    return "\n".join(
        [
            "#!/bin/sh",
            f"# By `{command('promote', '--pr', '--commit')}`, for GitHub's command-line tool.",
            "set -eu",
            f"git push origin {branch}",
            f"gh pr view {branch} --json url ||",
            f"  gh pr create --head {branch} --title {title} --body-file {body}",
            "",
        ]
    )


def recent_nights(samples: Iterable[Sample], tests: Collection[str]) -> dict[str, str]:
    """The last nights of tests by key, the newest last: `.` good, `F` bad, `x` no evidence."""
    found: dict[str, dict[float, str]] = defaultdict(dict)
    for sample in samples:
        if sample.test in tests:
            letter = "x" if sample.excluded else "." if sample.good else "F"
            found[sample.test][sample.at] = letter
    return {
        test: "".join(letters for _, letters in sorted(nights.items())[-SHOWN_NIGHTS:])
        for test, nights in found.items()
    }


_DIRECTIONS = ("up", "down", "new", "changed")
_RANKS = ("new", "op by op", "op by op and e2e compile", "e2e compile", "quarantine")
"""Standings from the bottom; all others are above."""


def _steps(moves: Iterable[Move]) -> dict[tuple[str, str], list[Move]]:
    """The moves of one test on one device belong together."""
    steps: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move in moves:
        steps[move.key or move.test, move.device].append(move)
    return dict(sorted(steps.items()))


def _direction(move: Move) -> str:
    if not move.was or move.was == move.to:
        return "changed"
    if move.was == "new":
        return "new"
    return "up" if _rank(move.to) > _rank(move.was) else "down"


def _rank(standing: str) -> int:
    if standing in _RANKS:
        return _RANKS.index(standing)
    return len(_RANKS) + (standing == "full")


def _digest(moves: Sequence[Move], incidents: Mapping[str, str]) -> str:
    edits = sorted((m.move, m.list, m.device, m.test) for m in moves)
    return hashlib.sha256(msgspec.json.encode((edits, sorted(incidents.items())))).hexdigest()


def _body(
    steps: Sequence[Sequence[Move]],
    counts: Counter[str],
    night: Moment,
    digest: str,
    recent: Mapping[str, str],
    remarks: Sequence[str],
) -> str:
    head = [
        f"<!-- bringup-promotion: {digest} -->",
        f"The history up to {code(night.run)} is enough for these moves. Every row is one test on "
        "one device; the lists' lines are in the change itself.",
        *([_chart(counts)] if counts else []),
    ]
    told = [f"- {code(sentence)}" for sentence in remarks]
    foot = [
        *(["## To be known", *told] if told else []),
        "## If one of them is wrong",
        "Take its lines out of this change, or revert the commit: "
        f"`{command('promote')}` sees that and "
        "suggests a pin, which the policy has to name before it holds.",
    ]
    sections: list[str] = []
    room = LIMIT - _ROOM - sum(len(part.encode()) + 2 for part in (*head, *foot))
    cut = 0
    for word in _DIRECTIONS:
        rows = [_row(own, recent) for own in steps if _direction(own[0]) == word]
        if not rows:
            continue
        kept: list[Sequence[str]] = []
        for row in rows:
            size = len(table((), [row]).encode()) + 1
            if size > room:
                cut += 1
                continue
            room -= size
            kept.append(row)
        sections += [f"## {word.capitalize()} ({counts[word]})", table(_HEAD, kept)]
    if cut:
        sections.append(
            f"{cut} more {'test is' if cut == 1 else 'tests are'} left out here, for want of room: "
            "the change has them, and so has `promotions.json`."
        )
    return "\n\n".join([*head, *sections, *foot]) + "\n"


def _chart(counts: Counter[str]) -> str:
    slices = [f'    "{word}" : {counts[word]}' for word in _DIRECTIONS if counts[word]]
    return "\n".join(["```mermaid", "pie showData", "    title Tests moved", *slices, "```"])


def _row(own: Sequence[Move], recent: Mapping[str, str]) -> Sequence[str]:
    move = own[0]
    nights = recent.get(move.key, "")
    flake = move.evidence.flake_rate
    said = move.reason + (f"; flake rate {flake:.1%}" if flake and "%" not in move.reason else "")
    held = next((m.expectation for m in own if m.expectation is not None), None)
    if held is not None and held.issue:
        said += f"; {held.disabled or held.expect} tracked in {held.issue}"
    return (
        code(move.key.rpartition("@")[0] or move.test),
        code(move.device),
        move.was or "-",
        move.to or f"{move.move} {move.list}",
        code(said),
        code(nights),
        code(move.owner),
    )
