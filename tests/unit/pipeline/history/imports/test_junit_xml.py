# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""JUnit XML of others: pytest's own, other tools', torn, hostile."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bringup.harness.errors import HarnessError
from bringup.harness.records.schema import Outcome, Status
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.imports.junit_xml import junit_run
from bringup.pipeline.history.samples import Excluded, Sample
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.read import samples
from bringup.pipeline.results.junit import write_junit
from tests.unit import run_builder as made

SUITE = """\
import pytest

@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("op_by_op", ["full"])
def test_t5(op_by_op, mode): pass

class TestLarge:
    def test_t5(self): assert 1 == 2, "<no & no>"

@pytest.fixture
def broken(): raise OSError("gone")
def test_setup(broken): pass
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
"""


def imported(tmp_path: Path, *paths: Path) -> list[Sample]:
    history = History(str(tmp_path / "history"))
    history.add_rows([junit_run(path) for path in paths])
    return samples(history)


def test_what_pytest_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_t5.py").write_text(SUITE)
    path = tmp_path / "junit.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:bringup", "test_t5.py"]
    subprocess.run([*command, f"--junitxml={path}"], cwd=tmp_path, check=False)
    found = {s.test: s for s in imported(tmp_path, path)}
    words = {key: (s.outcome, s.excluded, s.passed, s.failed) for key, s in found.items()}
    assert words == {
        "t5[full-eval]@ci": (Outcome.PASSED, Excluded.NONE, 1, 0),
        "TestLarge.t5[full-eval]@ci": (Outcome.FAILED, Excluded.NONE, 0, 1),
        "setup[full-eval]@ci": (Outcome.FAILED, Excluded.NONE, 0, 1),
        "skipped[full-eval]@ci": (Outcome.SKIPPED, Excluded.SKIPPED, 0, 0),
    }
    assert "<no & no>" in found["TestLarge.t5[full-eval]@ci"].message
    assert found["t5[full-eval]@ci"].nodeid == "test_t5.py::test_t5[full-eval]"
    assert all(s.seconds is not None and s.at > 1.7e9 for s in found.values())


def test_our_own_file_says_the_same_as_the_records(tmp_path: Path) -> None:
    records = [
        made.record(made.identity("a[b]"), Outcome.INCORRECT),
        made.record(made.identity("ü", variant="x-tiny")),
        made.record(made.identity("c"), Outcome.INFRA),
    ]
    path = write_junit(tmp_path / "junit.xml", records, ["shard 2 of 2 never reported"])
    kept = junit_run(path)
    assert kept.run.missing == ("shard 2 of 2 never reported",)
    found = {s.test: s.outcome for s in imported(tmp_path, path)}
    assert found == {r.identity.key: r.outcome for r in records}


OTHER = """<?xml version="1.0"?>
<testsuites><testsuite name="s" timestamp="2026-11-01T03:00:00+02:00">
<testcase classname="a.B" name="works" time="1,002.5"/>
<testcase classname="a.C" name="works"><failure message="one"/></testcase>
<testcase name="again"><failure>text only</failure></testcase>
<testcase name="again"/>
<testcase classname="a.B" name="odd" time="NaN"><error type="E" message="m"/></testcase>
</testsuite></testsuites>
"""


def test_another_tools_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_text(OTHER)
    found = {s.test: s for s in imported(tmp_path, path)}
    assert {key: s.outcome for key, s in found.items()} == {
        "a.B.works[full-eval]@ci": Outcome.PASSED,
        "a.C.works[full-eval]@ci": Outcome.FAILED,
        "again[full-eval]@ci": Outcome.PASSED,
        "odd[full-eval]@ci": Outcome.FAILED,
    }
    assert found["a.B.works[full-eval]@ci"].seconds == 1002.5
    assert found["odd[full-eval]@ci"].seconds is None
    assert {s.at for s in found.values()} == {1793494800.0}
    again = junit_run(path)
    assert again.run == junit_run(path).run and again.run.reported == 5


@pytest.mark.parametrize("end", [0.3, 0.5, 0.7, 0.95])
def test_a_torn_file_gives_what_it_has_and_says_so(tmp_path: Path, end: float) -> None:
    path = tmp_path / "torn.xml"
    path.write_text(OTHER[: int(len(OTHER) * end)])
    whole = (
        OTHER[: int(len(OTHER) * end)].count("</testcase>")
        + OTHER[: int(len(OTHER) * end)].count("/></testsuite")
        + OTHER[: int(len(OTHER) * end)].count('5"/>')
    )
    try:
        kept = junit_run(path)
    except HistoryError as error:
        assert whole == 0 and "torn" in str(error)
        return
    (loss,) = kept.run.missing
    assert loss.startswith(f"torn.xml is torn after {kept.run.reported} cases: ")
    assert kept.run.reported >= whole


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no JUnit XML"),
        ("plain words", "is no JUnit XML"),
        ("<html></html>", "is no JUnit XML"),
        ("<testsuites></testsuites>", "holds no test case"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>', "brings a document type"),
        ("<testsuite>" * 100, "too deep"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(text)
    with pytest.raises(HarnessError, match=why):
        junit_run(path)


@given(data=st.binary(max_size=300) | st.text(alphabet="<>/testcasuie=\"' \n", max_size=300))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    path = tmp_path_factory.mktemp("any") / "x.xml"
    path.write_bytes(data if isinstance(data, bytes) else str(data).encode())
    with contextlib.suppress(HarnessError):
        assert junit_run(path).run.reported > 0


def test_an_import_of_another_state_is_another_run(tmp_path: Path) -> None:
    one, two = tmp_path / "1.xml", tmp_path / "2.xml"
    one.write_text(OTHER)
    two.write_text(OTHER.replace("11-01", "11-02"))
    found = imported(tmp_path, one, two, one)
    assert len(found) == 8 and len({s.run for s in found}) == 2
    assert {s.status for s in found if s.outcome is Outcome.PASSED} == {Status.EXECUTED}
