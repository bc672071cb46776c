# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a platform is to be told of incidents: texts, and the commands of its command-line tool.

Nothing is filed here. The commands look for the marker first, so that an issue which is there
already is taken and no second one is made.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from bringup.harness.records.door import command
from bringup.harness.records.night import Cluster, NightVerdict
from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.results.incidents import Incident, State
from bringup.pipeline.results.markdown import block, code, table

LIMIT = 65_536
"""Characters that GitHub takes as a body."""
MOST_TESTS = 50
EXAMPLE = 8_000
FOLDER = "issues"
SCRIPT = "commands.sh"
_NOT_IN_TITLES = re.compile(r"[^\w.:,/() -]")
_SAYS = {
    State.OPENED: "It is back.",
    State.REMINDED: "It is still there, {days} days after it was opened.",
    State.ESCALATED: "It is still there after {days} days. Its owner should be asked in person.",
    State.DISABLE: "It is still there after {days} days. It is proposed to expect it on the lists "
    '(`expect = "xfail"`, or `disabled` where only numbers are off), with this issue.',
    State.CLOSED: "All of its tests were good in the last nights.",
}


def marker(incident: Incident) -> str:
    """A word that stands in its issue and in no other."""
    return f"bringup-cause-{incident.cause}"


def title(incident: Incident) -> str:
    """One line, of which nothing mentions anybody."""
    count = len(incident.tests)
    tests = "1 test" if count == 1 else f"{count} tests"
    return f"{_NOT_IN_TITLES.sub('', incident.name)[:120]} ({tests})"


def body(incident: Incident, cluster: Cluster | None = None, evidence: str = "") -> str:
    """The text of an issue.

    Args:
        cluster: The cause as it was last seen.
        evidence: Markdown on one of its tests (`issue.draft_issue`).
    """
    rows = []
    for key in incident.tests[:MOST_TESTS]:
        name, _, device = key.rpartition("@")
        rows.append((code(name), code(device)))
    left = len(incident.tests) - MOST_TESTS
    parts = [
        f"One cause, {code(incident.name)}, since {incident.opened:%Y-%m-%d} "
        f"({code(incident.run)}).",
        *([f"Asked first: {code(incident.owner)}"] if incident.owner else []),
        "## Tests",
        table(("test", "device"), rows) + (f"\n\nand {left} more." if left > 0 else ""),
    ]
    if cluster is not None:
        parts += ["## In its own words", block(cluster.example[:EXAMPLE])]
        parts += ["## See it again", block(cluster.command)] if cluster.command else []
    foot = f"---\n`{marker(incident)}`: it is by this line that nobody files it twice."
    room = LIMIT - len("\n\n".join([*parts, foot]).encode()) - 100
    if evidence and len(evidence.encode()) < room:
        parts += ["## One of them", evidence.strip().replace("\n## ", "\n### ").lstrip("# ")]
    return "\n\n".join([*parts, foot]) + "\n"


def comment(incident: Incident) -> str:
    """What is said where an incident changes its state."""
    days = (incident.last - incident.opened).days
    return _SAYS[incident.state].format(days=days) + "\n"


def write_texts(
    run_dir: Path,
    before: Sequence[Incident],
    after: Sequence[Incident],
    night: NightVerdict,
    evidence: Mapping[str, str],
) -> list[Path]:
    """Write the texts that a platform is to have, and the commands that give them to it.

    Args:
        evidence: By key of a test, markdown on it.

    Raises:
        RecordError: the disk is full or gone.
    """
    folder = run_dir / FOLDER
    states = {incident.cause: incident.state for incident in before}
    lines = [
        "#!/bin/sh",
        f"# By `{command('issues', '--write')}`, for GitHub's command-line tool.",
        "set -eu",
    ]
    written = []
    for incident in after:
        text_path, said_path = (folder / f"{incident.cause}{end}" for end in (".md", ".comment.md"))
        open_ = incident.state is not State.CLOSED and not incident.clear
        if not incident.issue and open_:  # of what was good tonight no issue is begun
            cluster = next((c for c in night.clusters if set(c.tests) & set(incident.tests)), None)
            told = next((evidence[t] for t in incident.tests if t in evidence), "")
            text = body(incident, cluster, told)
            written.append(write_atomically(text_path, text.encode("utf-8", "replace")))
            lines += _create(incident, text_path)
        elif incident.issue and states.get(incident.cause, incident.state) is not incident.state:
            said = comment(incident)
            written.append(write_atomically(said_path, said.encode("utf-8", "replace")))
            lines += _comment(incident, said_path)
    if written:
        written.append(write_atomically(folder / SCRIPT, ("\n".join(lines) + "\n").encode()))
    return written


def _create(incident: Incident, path: Path) -> list[str]:
    mark, name = marker(incident), shlex.quote(title(incident))
    return [
        f"url=$(gh issue list --state all --limit 1 --search '{mark} in:body' --json url "
        "--jq '.[].url')",
        f'test -n "$url" || url=$(gh issue create --title {name} --body-file '
        f"{shlex.quote(str(path))})",
        f'{command("issues", "--opened")} "{incident.cause}=$url"',
    ]


def _comment(incident: Incident, path: Path) -> list[str]:
    issue, file = shlex.quote(incident.issue), shlex.quote(str(path))
    lines = [f"gh issue comment {issue} --body-file {file}"]
    if incident.state is State.CLOSED:
        lines.append(f"gh issue close {issue}")
    elif incident.state is State.OPENED:
        lines.insert(0, f"gh issue reopen {issue}")
    return lines
