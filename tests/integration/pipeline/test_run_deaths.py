# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests that die in every way there is, in one real run: each costs itself and no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome, TestRecord
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from tests.integration.small_fleet import SmallFleet, eventually
from tests.unit.junit_outcomes import junit_outcomes

DEATHS = """
@full
def test_segv(flow): ctypes.string_at(0)
@full
def test_abort(flow): os.abort()
@full
def test_kill(flow): os.kill(os.getpid(), signal.SIGKILL)
@full
def test_exit(flow): os._exit(7)
@full
def test_sysexit(flow): sys.exit(3)
@full
def test_interrupt(flow): raise KeyboardInterrupt
@full
def test_pytest_exit(flow): pytest.exit("enough")
@full
def test_raise(flow): raise ValueError("the answer is \\x1b[31m42")
@full
def test_hang(flow): ctypes.PyDLL(None).sleep(1000)  # a PyDLL call keeps the GIL
@full
def test_deaf(flow):
    import faulthandler
    faulthandler.cancel_dump_traceback_later()  # the supervisor has to do it
    subprocess.Popen(["sleep", "1000"])
    time.sleep(1000)
@full
def test_garbage(flow):
    for _ in range(2000):
        os.write(1, b"\\xff\\x00 garbage\\n" * 20)
        os.write(2, b"\\xfe\\x00 garbage\\n" * 20)
    sys.__stdout__.write("garbage")
@full
def test_orphan(flow):
    subprocess.Popen(["setsid", "sleep", "1000"])
    os._exit(9)
@full
def test_left_behind(flow): subprocess.Popen(["setsid", "sleep", "1000"])
@full
def test_skip(flow): pytest.skip("not here")
@pytest.fixture
def dies_later():
    yield
    ctypes.string_at(0)
@full
def test_teardown(flow, dies_later): pass
"""

WORDS = {
    "segv": Outcome.CRASHED,
    "abort": Outcome.CRASHED,
    "kill": Outcome.KILLED,
    "exit": Outcome.CRASHED,
    "sysexit": Outcome.FAILED,
    "interrupt": Outcome.FAILED,
    "pytest_exit": Outcome.FAILED,
    "raise": Outcome.FAILED,
    "hang": Outcome.TIMEOUT,
    "deaf": Outcome.TIMEOUT,
    "garbage": Outcome.PASSED,
    "orphan": Outcome.CRASHED,
    "left_behind": Outcome.PASSED,
    "skip": Outcome.SKIPPED,
    "teardown": Outcome.CRASHED,
    **{f"fine{i}": Outcome.PASSED for i in range(12)},
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallFleet, int, str]]:
    fleet = SmallFleet(tmp_path_factory.mktemp("deaths"))
    fleet.file("test_deaths", DEATHS)
    fine = "".join(f"@full\ndef test_fine{i}(flow): pass\n" for i in range(12))
    fleet.file("test_fine", fine)
    code, said = fleet.run("run", "tests/models", "--device", "cpu", "--timeout", "3")
    yield fleet, code, said


def record(fleet: SmallFleet, model: str) -> TestRecord:
    return next(r for r in fleet.records() if r.identity.model == model)


def test_every_planned_test_has_one_right_outcome(
    night: tuple[SmallFleet, int, str],
) -> None:
    fleet, code, _ = night
    assert fleet.outcomes() == {f"{name}[full-eval]@cpu": word for name, word in WORDS.items()}
    assert code == 3  # the one that was killed is nobody's evidence


def test_a_crash_carries_its_signal_and_its_stack(night: tuple[SmallFleet, int, str]) -> None:
    fleet, _, _ = night
    failure = record(fleet, "segv").failure
    assert failure is not None and failure.diagnostic is not None
    assert failure.kind == "SIGSEGV"
    assert b"Segmentation fault" in ArtifactStore(fleet.output).get(failure.diagnostic)
    assert failure.diagnostic.level == "stack"


def test_a_hang_that_holds_the_gil_leaves_its_stack(night: tuple[SmallFleet, int, str]) -> None:
    fleet, _, _ = night
    hang = record(fleet, "hang")
    assert hang.failure is not None and hang.failure.diagnostic is not None
    assert b"in test_hang" in ArtifactStore(fleet.output).get(hang.failure.diagnostic)
    assert "deadline of 3 s" in hang.failure.message
    assert hang.wall_s is not None and 2.9 < hang.wall_s < 6


def test_what_every_process_of_a_test_was_at_is_kept(night: tuple[SmallFleet, int, str]) -> None:
    """Also of one that its own timer could not end, and of what it had started."""
    fleet, _, _ = night
    deaf = record(fleet, "deaf").failure
    assert deaf is not None and deaf.diagnostic is not None
    kept = ArtifactStore(fleet.output).get(deaf.diagnostic).decode()
    assert "test_deaf (test_deaths.py" in kept and "time_sleep" in kept, "Python and native"
    assert ": sleep 1000\n" in kept


def test_no_process_is_left(night: tuple[SmallFleet, int, str]) -> None:
    assert night[0].processes() == []


def test_the_run_is_merged_and_reported(night: tuple[SmallFleet, int, str]) -> None:
    fleet, _, said = night
    header, records = read_merged(fleet.output)
    assert header.planned == len(WORDS) == len(records)
    assert header.missing == ()
    assert junit_outcomes(fleet.output / "junit.xml") == fleet.outcomes()
    assert f"{len([w for w in WORDS.values() if w is Outcome.PASSED])} of {len(WORDS)}" in said
    line = "reproduce: bringup run 'tests/models/test_deaths.py::test_segv[full-eval]'"
    assert line in said


def test_the_terminal_gets_lines_and_the_log_gets_pytest(
    night: tuple[SmallFleet, int, str],
) -> None:
    fleet, _, said = night
    assert "\x1b" not in said
    assert said.count("] PASSED ") == list(WORDS.values()).count(Outcome.PASSED)
    assert "test session starts" not in said
    assert "test session starts" in (fleet.output / "pytest.log").read_text(errors="replace")


def test_only_the_records_are_left_in_the_run_directory(
    night: tuple[SmallFleet, int, str],
) -> None:
    found = {p.name for p in night[0].output.iterdir()}
    assert found == {
        "plan.json",
        "journal",
        "blobs",
        "pytest.log",
        "run.json",
        "records.jsonl.zst",
        "junit.xml",
        "night.json",
        "trends.json.zst",
    }


def test_a_worker_that_dies_before_its_test_costs_nobody_anything(tmp_path: Path) -> None:
    """A module's fixture crashes while the worker moves on to the next test."""
    fleet = SmallFleet(tmp_path)
    fleet.file(
        "test_a",
        """
@pytest.fixture(scope="module")
def explosive():
    yield
    ctypes.string_at(0)
@full
def test_a(flow, explosive): pass
""",
    )
    fleet.file("test_b", "@full\ndef test_b(flow): pass\n")
    code, said = fleet.run("run", "tests/models", "--device", "cpu", "--workers", "1")
    assert set(fleet.outcomes().values()) == {Outcome.PASSED}, said
    assert code == 0


def test_what_cannot_be_imported_costs_only_its_own_tests(tmp_path: Path) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_broken", "import no_such_module\n@full\ndef test_broken(flow): pass\n")
    fleet.file("test_crash", "ctypes.string_at(0)\n@full\ndef test_crash(flow): pass\n")
    fine = fleet.file("test_fine", "@full\ndef test_fine(flow): pass\n")
    entries = [
        "tests/models/test_broken.py::test_broken[full-eval]",
        "tests/models/test_crash.py::test_crash[full-eval]",
        f"{fine}::test_fine[full-eval]",
    ]
    fleet.write_list(NIGHTLY_FULL, cpu=entries)
    code, said = fleet.run("nightly")
    assert fleet.outcomes() == {
        "broken[full-eval]@cpu": Outcome.NOT_RUN,
        "crash[full-eval]@cpu": Outcome.NOT_RUN,
        "fine[full-eval]@cpu": Outcome.PASSED,
    }
    assert code == 3
    assert "importing it dies of SIGSEGV" in said
    assert "ModuleNotFoundError: No module named 'no_such_module'" in said
    eventually(lambda: not fleet.processes())
