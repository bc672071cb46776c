# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""JUnit XML of any pytest or CI, whole or torn, as a run.

Our own files carry every test's key and outcome. Of others a case's `classname` and `name` say
what the test is, as pytest writes them; two cases that would be one test get their class in front.
A file that ends in the middle gives the cases that are whole, and a sentence in the losses of the
run.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.naming import identity_of
from bringup.harness.records.schema import Outcome, Status
from bringup.harness.storage.decoding import UNDECODABLE, read_bytes, why_not
from bringup.harness.storage.writable import MESSAGE_LIMIT, writable
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.samples import Excluded
from bringup.pipeline.history.store.rows import Kept, finished
from bringup.pipeline.history.store.tables import AttemptRow, Run

DEVICE = "ci"
"""Of tests that say none."""
_LARGEST = 256 << 20
_DEEPEST = 64
_MOST_CASES = 1_000_000
_LOSS_SUITE = "not reported"
_LONGEST_S = 1e7


@dataclass
class _Case:
    classname: str
    name: str
    seconds: float | None
    outcome: Outcome = Outcome.PASSED
    kind: str = ""
    message: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)


def junit_run(path: Path, *, device: str = DEVICE, session: str = "junit") -> Kept:
    """Read a file as a run, whose id is of its content and whose time is what the file says.

    Raises:
        RecordError: it cannot be read, or brings a document type.
        HistoryError: it is no JUnit XML, or has no case at all.
    """
    data = read_bytes(path)
    if len(data) > _LARGEST:
        raise HistoryError(f"{path} is no JUnit XML of ours: it is larger than {_LARGEST} bytes")
    reader = _Reader(path)
    torn = reader.read(data)
    if not reader.cases and not reader.suites:
        why = f": {torn}" if torn else ""
        raise HistoryError(f"{path} is no JUnit XML{why}")
    if not reader.cases:
        raise HistoryError(
            f"{path} holds no test case{f' before it is torn: {torn}' if torn else ''}"
        )
    rows = _rows(reader.cases, device)
    lost = [f"{path.name} is torn after {len(reader.cases)} cases: {torn}"] if torn else []
    run = Run(
        run=f"junit-{hashlib.sha256(data).hexdigest()[:16]}",
        state="",
        session=session,
        created=reader.created if reader.created is not None else path.stat().st_mtime,
        planned=len({row.test for row in rows}),
        reported=len(rows),
        missing=(*lost, *reader.losses),
        source="junit",
    )
    return finished(run, rows, [])


class _Reader:
    """Takes the cases out of a document as they end, so that a torn one gives what it has."""

    def __init__(self, path: Path) -> None:
        self.cases: list[_Case] = []
        self.losses: list[str] = []
        self.suites = 0
        self.created: float | None = None
        self._path = path
        self._open: list[tuple[str, dict[str, str]]] = []
        self._case: _Case | None = None

    def read(self, data: bytes) -> str:
        """Read a document; where it is torn, why."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)
        except RecordError:
            raise
        except (expat.ExpatError, *UNDECODABLE) as error:
            return why_not(error)
        return ""

    def _doctype(self, *_: object) -> None:
        raise RecordError(f"{self._path} brings a document type, which no JUnit XML needs")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append((name, attributes))
        if len(self._open) > _DEEPEST or len(self.cases) > _MOST_CASES:
            raise RecordError(f"{self._path} is no JUnit XML of ours: too deep, or too many cases")
        if name in ("testsuite", "testsuites"):
            self.suites += 1
            at = _moment(attributes.get("timestamp", ""))
            self.created = at if self.created is None else min(self.created, at or self.created)
        elif name == "testcase":
            seconds = _seconds(attributes.get("time", ""))
            self._case = _Case(attributes.get("classname", ""), attributes.get("name", ""), seconds)
        elif self._case is not None:
            self._inside(self._case, name, attributes)

    def _inside(self, case: _Case, name: str, attributes: dict[str, str]) -> None:
        words = {"failure": Outcome.FAILED, "error": Outcome.FAILED, "skipped": Outcome.SKIPPED}
        if name in words:
            case.outcome = words[name]
            case.kind = attributes.get("type", "") or name
            case.message = [attributes.get("message", "")]
        elif name == "property":
            case.properties[attributes.get("name", "")] = attributes.get("value", "")

    def _text(self, text: str) -> None:
        if self._case is not None and self._open[-1][0] in ("failure", "error"):
            self._case.message.append(text)

    def _end(self, name: str) -> None:
        self._open.pop()
        if name == "testcase" and self._case is not None:
            suite = next((a for n, a in reversed(self._open) if n == "testsuite"), {})
            if suite.get("name") == _LOSS_SUITE:
                self.losses.append(self._case.name)
            else:
                self.cases.append(self._case)
            self._case = None


def _rows(cases: Sequence[_Case], device: str) -> list[AttemptRow]:
    named: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        named[_key(case, device)].add(case.classname)
    tries: Counter[str] = Counter()
    rows = []
    for case in cases:
        key = _key(case, device)
        if len(named[key]) > 1:  # two tests of one name, in two classes or files
            identity = identity_of(writable(_entry(case)), device)
            key = msgspec.structs.replace(identity, qualifier=writable(case.classname)).key
        tries[key] += 1
        rows.append(_row(case, key, tries[key]))
    return [
        msgspec.structs.replace(row, last=False, excluded=Excluded.SUPERSEDED, passed=0, failed=0)
        if row.attempt < tries[row.test]
        else row
        for row in rows
    ]


def _key(case: _Case, device: str) -> str:
    try:
        return writable(case.properties["key"].encode("ascii").decode("unicode_escape"))
    except (KeyError, ValueError):
        return identity_of(writable(_entry(case)), device).key


def _entry(case: _Case) -> str:
    """The pytest id of a case: `tests.models.t5.test_t5.TestLarge`, `test_t5[full-eval]`.

    Whatever another tool calls its classes, a name alone is a test too.
    """
    words = case.classname.split(".") if case.classname else []
    classes: list[str] = []
    while words and words[-1].startswith("Test"):
        classes.insert(0, words.pop())
    if not words or not words[-1].startswith("test_"):
        return case.name
    return "::".join(["/".join(words) + ".py", *classes, case.name])


def _row(case: _Case, key: str, attempt: int) -> AttemptRow:
    outcome = case.outcome
    if case.properties.get("outcome") in Outcome.__members__:
        outcome = Outcome(case.properties["outcome"])
    good = outcome is Outcome.PASSED
    evidence = outcome not in (Outcome.SKIPPED, Outcome.INFRA, Outcome.KILLED, Outcome.NOT_RUN)
    said = "\n".join(text for text in case.message if text)
    return AttemptRow(
        test=key,
        device=key.rpartition("@")[2],
        attempt=attempt,
        last=True,
        planned=False,
        outcome=outcome,
        shown=outcome,
        excluded=""
        if evidence
        else Excluded.SKIPPED
        if outcome is Outcome.SKIPPED
        else Excluded.MACHINE,
        status=Status.EXECUTED if good else Status.NOT_STARTED,
        kind=writable(case.kind),
        message=writable(said)[:MESSAGE_LIMIT],
        passed=int(good and evidence),
        failed=int(evidence and not good),
        seconds=case.seconds,
        nodeid=writable(_entry(case)),
        entry=writable(_entry(case)),
    )


def _seconds(text: str) -> float | None:
    """Some tools write thousands with commas."""
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_S else None


def _moment(text: str) -> float | None:
    """An ISO time; one without a zone is taken as UTC, wherever it is read."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
