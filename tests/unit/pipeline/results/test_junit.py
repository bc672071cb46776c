# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""JUnit says what the records say, whatever is in them, and never more."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bringup.harness.records.schema import Metric, Outcome, Shown, Status
from bringup.pipeline.results.junit import write_junit
from tests.unit.junit_outcomes import junit_outcomes
from tests.unit.run_builder import identity, output, record

EVERY = [record(identity(f"m_{o.lower()}", "cpu"), o, Status.CREATED_GRAPH) for o in Outcome]
HOSTILE = "it's \"quoted\" <b>&amp;]]>\x00\x1b[31m\x7f\ud800\ufffe\U0001f600\r\n{'a': 'dict'}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "junit.xml"


def cases(path: Path) -> dict[str, ElementTree.Element]:
    root = ElementTree.parse(path).getroot()
    return {case.get("name", ""): case for case in root.iter("testcase")}


def result(case: ElementTree.Element) -> str:
    found = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    assert len(found) <= 1
    return found[0] if found else "passed"


def test_every_outcome_comes_back_as_it_was(path: Path) -> None:
    write_junit(path, EVERY)
    assert junit_outcomes(path) == {r.identity.key: r.outcome for r in EVERY}


def test_every_outcome_has_the_result_that_other_tools_expect(path: Path) -> None:
    write_junit(path, EVERY)
    results = {
        name.partition("::test_m_")[2].partition("[")[0]: result(c)
        for name, c in cases(path).items()
    }
    assert results == {
        "passed": "passed",
        "reached": "passed",
        "incorrect": "failure",
        "unverified": "failure",
        "does_not_fit": "failure",
        "failed": "failure",
        "crashed": "error",
        "timeout": "error",
        "killed": "error",
        "infra": "error",
        "skipped": "skipped",
        "not_run": "error",
    }


def test_a_suite_per_device_with_counts_that_add_up(path: Path) -> None:
    both = [
        record(identity("t5", d), o) for d, o in (("cpu", Outcome.PASSED), ("n150", Outcome.FAILED))
    ]
    write_junit(path, both)
    suites = ElementTree.parse(path).getroot().findall("testsuite")
    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in suites] == [
        ("cpu", "1", "0"),
        ("n150", "1", "1"),
    ]


def test_a_case_carries_the_entry_and_numbers_at_full_precision(path: Path) -> None:
    pcc = 0.9949999999999999
    said = (Shown(name="accuracy", number=Metric.of(pcc)), Shown(name="text", text=HOSTILE))
    write_junit(path, [record(identity("t5", "cpu"), outputs=(output(pcc),), shown=said)])
    (case,) = cases(path).values()
    assert case.get("name") == "tests/models/t5/test_t5.py::test_t5[full-eval]"
    assert case.get("classname") == "cpu.tests.models.t5.test_t5"
    assert case.get("time") == "31.25"
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert float(properties["pcc"] or "") == pcc == float(properties["shown.accuracy"] or "")
    assert "'a': 'dict'" in (properties["shown.text"] or "")
    assert properties["status"] == "7 EXECUTED"
    assert properties["outcome"] == "PASSED"


def test_a_pcc_that_is_no_number_is_a_word(path: Path) -> None:
    wrong = record(identity(), Outcome.INCORRECT, outputs=(output(float("nan"), ok=False),))
    write_junit(path, [wrong])
    assert b'name="pcc" value="nan"' in path.read_bytes()


@pytest.mark.parametrize("outcome", list(Outcome))
def test_hostile_text_breaks_no_reader(path: Path, outcome: Outcome) -> None:
    bad = record(
        identity("t5", "c'pu", variant=HOSTILE),
        outcome,
        message=HOSTILE,
        model_name=HOSTILE,
        nodeid=f"tests/x.py::test_x[{HOSTILE}]",
    )
    write_junit(path, [bad], missing=[HOSTILE])
    ElementTree.parse(path)
    assert junit_outcomes(path) == {bad.identity.key: outcome}


def test_the_latest_attempt_is_the_verdict(path: Path) -> None:
    test = identity()
    write_junit(path, [record(test, Outcome.CRASHED), record(test, attempt=2)])
    assert junit_outcomes(path) == {test.key: Outcome.PASSED}


def test_what_never_reported_is_an_error_of_its_own(path: Path) -> None:
    write_junit(path, [record()], missing=["shard 2 of 2 never reported"])
    assert result(cases(path)["shard 2 of 2 never reported"]) == "error"
    assert len(junit_outcomes(path)) == 1


def test_a_run_without_any_record_is_red_and_reads_as_no_success(path: Path) -> None:
    write_junit(path, [])
    assert [result(case) for case in cases(path).values()] == ["error"]
    assert junit_outcomes(path) == {}
