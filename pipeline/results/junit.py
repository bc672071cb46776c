# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verdicts of a run as one JUnit XML file.

One suite per device, one case per test, by its latest attempt. JUnit knows four results, a
record twelve outcomes: INCORRECT, FAILED, DOES_NOT_FIT and UNVERIFIED are failures, SKIPPED is
skipped, as is what the run's budget left out; what else ended without an outcome of its own is an
error. The outcome itself, the full-precision metrics and the test's key are properties of the case,
so nothing is lost to who reads them. Every loss of the run is an error too: a file in which
something is missing never looks green. By what its list or its entry promises, a failure that is
expected is skipped, and a good end that is not is a failure.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from junitparser import Error, Failure, Skipped, xunit2

from bringup.harness.records.metrics import titled
from bringup.harness.records.naming import listed_as
from bringup.harness.records.outcomes import is_left_out, latest
from bringup.harness.records.schema import (
    GOOD,
    Metric,
    Outcome,
    PlannedTest,
    Shown,
    TestRecord,
)
from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.lists.expectations import Kept, in_words

FAILURES = frozenset({Outcome.INCORRECT, Outcome.FAILED, Outcome.UNVERIFIED, Outcome.DOES_NOT_FIT})
LOSS_SUITE = "not reported"
"""Name of the suite whose cases are losses and not tests."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


Made = Mapping[str, tuple[PlannedTest, Kept]]


def write_junit(
    path: Path,
    records: Iterable[TestRecord],
    missing: Sequence[str] = (),
    made: Made | None = None,
) -> Path:
    """Write one file for a run; `missing` are the sentences of its header, `made` what its tests
    made of their promises (`lists.expectations.made_of_promises`).

    Raises:
        RecordError: the disk is full or gone.
    """
    by_device: dict[str, list[TestRecord]] = defaultdict(list)
    for record in latest(records):
        by_device[record.identity.device].append(record)
    losses = list(missing) if by_device else [*missing, "no test left a record"]
    document = xunit2.JUnitXml()
    for device, found in by_device.items():
        cases = [_case(record, (made or {}).get(record.identity.key)) for record in found]
        document.add_testsuite(_suite(device, cases))
    if losses:
        document.add_testsuite(_suite(LOSS_SUITE, [_loss(sentence) for sentence in losses]))
    document.update_statistics()
    head = b"<?xml version='1.0' encoding='utf-8'?>\n"
    return write_atomically(path, head + document.tostring() + b"\n")


def _suite(name: str, cases: list[xunit2.TestCase]) -> xunit2.TestSuite:
    suite = xunit2.TestSuite(_clean(name))
    suite.add_testcases(cases)
    return suite


def _case(record: TestRecord, made: tuple[PlannedTest, Kept] | None) -> xunit2.TestCase:
    identity = record.identity
    entry = listed_as(record) or identity.name
    module = entry.partition("::")[0].removesuffix(".py").replace("/", ".")
    case = xunit2.TestCase(_clean(entry), _clean(f"{identity.device}.{module}"), record.wall_s)
    for name, value in _properties(record).items():
        case.add_property(name, _clean(value))
    words = in_words(*made) if made else ""
    if made and words:
        case.add_property("promise", _clean(f"{made[1].value}: {words}"))
    if made and made[1] is Kept.EXPECTED_FAILURE:
        case.result = [Skipped(_clean(words), made[1].value)]
    elif made and made[1] is Kept.UNEXPECTED_PASS:
        case.result = [Failure(_clean(f"{made[1].value}: {words}"), made[1].value)]
    elif is_left_out(record) and record.failure:
        case.result = [Skipped(_clean(record.failure.message), Kept.LEFT_OUT.value)]
    elif record.outcome not in GOOD:
        case.result = [_result(record)]
    return case


def _properties(record: TestRecord) -> dict[str, str]:
    identity = record.identity
    stage = record.failure.stage if record.failure else None
    every = {
        "key": identity.key.encode("unicode_escape").decode("ascii"),
        "outcome": str(record.outcome),
        "status": f"{record.status:d} {record.status.name}",
        "model_status": str(record.model_status),
        "model_name": record.model_name,
        "model_group": record.model_group,
        "mode": identity.mode,
        "depth": record.depth,
        "stage": str(stage or ""),
        **{kind.name: _number(record.metric(kind.name)) for kind in titled()},
        **{f"shown.{_clean(s.name)}": _shown(s) for s in record.shown if not s.picture},
        "attempt": str(record.attempt),
        "peak_rss": str(record.peak_rss or ""),
    }
    return {name: value for name, value in every.items() if value}


def _result(record: TestRecord) -> Error | Failure | Skipped:
    failure = record.failure
    message = _clean(failure.message if failure else f"the outcome is {record.outcome}")
    if record.outcome is Outcome.SKIPPED:
        return Skipped(message, "SKIPPED")
    kind = Failure if record.outcome in FAILURES else Error
    result = kind(message.partition("\n")[0], _clean(failure.kind if failure else record.outcome))
    result.text = f"{record.outcome}: {message}"
    return result


def _loss(sentence: str) -> xunit2.TestCase:
    case = xunit2.TestCase(_clean(sentence), LOSS_SUITE)
    case.result = [Error(_clean(sentence), "missing")]
    return case


def _number(metric: Metric | None) -> str:
    if metric is None:
        return ""
    return str(metric.state) if metric.value is None else repr(metric.value)


def _shown(one: Shown) -> str:
    return one.text if one.number is None else _number(one.number)


def _clean(text: str) -> str:
    """Characters that XML 1.0 cannot carry, written out."""
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
