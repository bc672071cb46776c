# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The life of a cause that breaks what lists promise: opened, reminded of, escalated, closed.

An incident is one cause and not one test. It is a file beside the lists, `incidents/CAUSE.toml`:
reviewed as they are, with the number of its issue in it, and there wherever the history went. The
clock is the runs' own dates, so the same nights give the same files whenever they are read; a
night that was taken up already changes nothing.

    ================  ==========================================================================
    state             begins
    ================  ==========================================================================
    opened            the cause hits a full flow of a list that gates, or one whose numbers are
                      off, in more than one night or confirmed; again when it comes back
    reminded          3 days later, the cause still there
    escalated         7 days later
    disable proposed  10 days later
    closed            all its tests were good in 2 nights
    ================  ==========================================================================
"""

import enum
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import RecordError
from bringup.harness.records.naming import identity_of_key
from bringup.harness.records.night import Cluster, Judgement, NightVerdict, TestVerdict
from bringup.harness.records.schema import Outcome
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import decode_toml, read_bytes
from bringup.pipeline.errors import ListError
from bringup.pipeline.messages import Speaker

FOLDER = "incidents"
CLEAR_NIGHTS = 2
_ID = re.compile(r"[0-9a-zA-Z_-]+")
"""A night's record may be anybody's, and an id becomes a file's name."""
_SURE = (Judgement.REGRESSION, Judgement.NEW)


class State(enum.StrEnum):
    """This module's table."""

    OPENED = "opened"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    DISABLE = "disable proposed"
    CLOSED = "closed"


AFTER_DAYS = ((State.DISABLE, 10), (State.ESCALATED, 7), (State.REMINDED, 3), (State.OPENED, 0))


class Incident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cause, and what became of it."""

    cause: str
    """`Cluster.id` when it was opened."""
    name: str
    state: State
    opened: datetime
    run: str
    """The run in which it was opened."""
    last: datetime
    """Of the newest night that was taken up."""
    fingerprints: tuple[str, ...]
    """All that its cluster ever had; by one of them it is known again."""
    tests: tuple[str, ...]
    """Keys of the tests that it hit last."""
    clear: int = 0
    """Nights in a row in which all of them were good."""
    issue: str = ""
    """The address of its issue; written back by `nox -s issues -- --opened`."""
    owner: str = ""


def advance(
    incidents: Iterable[Incident],
    night: NightVerdict,
    good: Collection[str],
    expected: Collection[str] = (),
) -> list[Incident]:
    """The incidents after a night, by cause.

    Args:
        good: Keys of the tests that were good in it, and that say something.
        expected: Keys of tests whose entry expects a failure; it is tracked there, so nothing is
            opened for it, and where it is all that is left nobody is reminded.
    """
    at = datetime.fromtimestamp(int(night.at), UTC)
    said = {one.test: one for one in night.tests}
    found: list[Incident] = []
    left = [cluster for cluster in night.clusters if _ID.fullmatch(cluster.id)]
    for incident in sorted(incidents, key=lambda i: i.cause):
        own = [c for c in left if _is_of(c, incident)]
        left = [c for c in left if c not in own]
        if at <= incident.last:
            found.append(incident)
        elif own:
            tests = {test for cluster in own for test in cluster.tests}
            known = incident if tests <= set(expected) else _aged(incident, at, night.run)
            found.append(_seen(known, own, at))
        else:
            found.append(_unseen(incident, at, good))
    for cluster in left:
        hit = [said[t] for t in cluster.tests if t in said and t not in expected]
        if any(map(_opens, hit)):
            found.append(_opened(cluster, at, night.run))
    return sorted(found, key=lambda i: i.cause)


def _is_of(cluster: Cluster, incident: Incident) -> bool:
    shared = set(cluster.fingerprints) & set(incident.fingerprints)
    return cluster.id == incident.cause or bool(shared)


def _opens(one: TestVerdict) -> bool:
    """Is it more than one night's, of a full flow, and does it matter to a list?"""
    sure = one.judgement is Judgement.KNOWN or (one.judgement in _SURE and one.settled)
    matters = one.gating or (one.outcome is Outcome.INCORRECT and bool(one.list_name))
    return sure and matters and identity_of_key(one.test).flow == "full"


def _opened(cluster: Cluster, at: datetime, run: str) -> Incident:
    return Incident(
        cause=cluster.id,
        name=cluster.name,
        state=State.OPENED,
        opened=at,
        run=run,
        last=at,
        fingerprints=cluster.fingerprints,
        tests=cluster.tests,
        issue=cluster.issue if cluster.issue.startswith("http") else "",
        owner=cluster.owner,
    )


def _aged(incident: Incident, at: datetime, run: str) -> Incident:
    """As old as it is in another night; one that was closed is opened again."""
    again = incident.state is State.CLOSED
    opened = at if again else incident.opened
    state = next(state for state, days in AFTER_DAYS if at - opened >= timedelta(days=days))
    run = run if again else incident.run
    return msgspec.structs.replace(incident, state=state, opened=opened, run=run)


def _seen(incident: Incident, clusters: Sequence[Cluster], at: datetime) -> Incident:
    marks = [*incident.fingerprints, *(m for c in clusters for m in c.fingerprints)]
    return msgspec.structs.replace(
        incident,
        last=at,
        fingerprints=tuple(dict.fromkeys(marks)),
        tests=tuple(sorted({t for c in clusters for t in c.tests})),
        clear=0,
    )


def _unseen(incident: Incident, at: datetime, good: Collection[str]) -> Incident:
    """A night in which not all of its tests were good says nothing of it."""
    if incident.state is State.CLOSED or not set(incident.tests) <= set(good):
        return incident
    clear = incident.clear + 1
    state = State.CLOSED if clear >= CLEAR_NIGHTS else incident.state
    return msgspec.structs.replace(incident, clear=clear, state=state, last=at)


def with_issue(incidents: Iterable[Incident], cause: str, issue: str) -> list[Incident]:
    """The incidents, one of them with the address of its issue.

    Raises:
        ListError: there is no such incident, or it has another issue already.
    """
    found = list(incidents)
    known = {incident.cause: incident for incident in found}
    if cause not in known:
        raise ListError(f"there is no incident {cause!r}{hint(cause, known)}")
    if known[cause].issue not in ("", issue):
        raise ListError(f"the incident {cause} is tracked in {known[cause].issue} already")
    return [msgspec.structs.replace(i, issue=issue) if i.cause == cause else i for i in found]


def issues_of_tests(lists: Path) -> dict[str, str]:
    """By key of a test, the address of the issue of an open incident that hits it.

    Raises:
        ListError: a file of an incident is none.
    """
    return {
        test: incident.issue
        for incident in read_incidents(lists)
        if incident.issue and incident.state is not State.CLOSED
        for test in incident.tests
    }


def known_issues(lists: Path, say: Speaker) -> dict[str, str]:
    """As `issues_of_tests`; incidents that cannot be read are a warning, and then none is known."""
    try:
        return issues_of_tests(lists)
    except ListError as error:
        say(f"warning: {error}; which issues are open is not known")
        return {}


# --- files ----------------------------------------------------------------------------------


def read_incidents(lists: Path) -> list[Incident]:
    """The incidents beside the lists, by cause.

    Raises:
        ListError: a file is none; the sentence names file and field.
    """
    return [_read(path) for path in sorted((lists / FOLDER).glob("*.toml"))]


def _read(path: Path) -> Incident:
    try:
        values = decode_toml(read_bytes(path).decode("utf-8", "replace"), path.as_posix())
        found = msgspec.convert(values, Incident)
    except RecordError as error:
        raise ListError(str(error)) from error
    except msgspec.ValidationError as error:
        raise ListError(f"{path}: {error}") from error
    if found.opened.tzinfo is None or found.last.tzinfo is None:
        raise ListError(f"{path}: a date without a time zone; they end in Z")
    if path.stem != found.cause:
        raise ListError(f"{path}: cause = {found.cause!r} is not the name of its file")
    return found


def write_incidents(lists: Path, incidents: Iterable[Incident]) -> list[Path]:
    """Write those that differ from their files; the files that changed.

    Raises:
        RecordError: the disk is full or gone.
    """
    changed = []
    for incident in incidents:
        path, text = lists / FOLDER / f"{incident.cause}.toml", _written(incident)
        if not path.exists() or path.read_text("utf-8") != text:
            changed.append(write_atomically(path, text.encode()))
    return changed


def _written(incident: Incident) -> str:
    """Sorted, one value a line, so that a change is a line."""
    values: Mapping[str, object] = {
        name: getattr(incident, name) for name in incident.__struct_fields__
    }
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    return "# Kept by `bringup issues`; `issue` and `owner` are yours.\n" + "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, tuple):
        return "[" + "".join(f"\n  {_toml(one)}," for one in value) + ("\n]" if value else "]")
    if isinstance(value, int):
        return str(value)
    return json.dumps(str(value), ensure_ascii=True)
