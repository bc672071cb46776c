# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run killed at any moment goes on where it was: nothing is lost, next to nothing done twice."""

import contextlib
import random
import re
from collections import Counter
from pathlib import Path

import psutil
import pytest

from bringup.harness.records.journal import events_of
from bringup.harness.records.outcomes import latest, outcome_counts_of_run
from bringup.harness.records.run_dir import read_merged, read_ops
from bringup.harness.records.schema import OpEnded, Outcome, TestRecord
from tests.integration.small_fleet import REPOSITORY, SmallFleet, eventually, finish

BODY = """
@full
@pytest.mark.parametrize("size", range(6))
def test_short(size, flow):
    with open("begun.txt", "a") as file:
        file.write(f"{size}\\n")
    time.sleep(0.5)
    while size > 2 and os.path.exists("hold"):
        time.sleep(0.05)
    if size == 5:
        os.kill(os.getpid(), signal.SIGSEGV)
"""
RUN = ("run", "--model", "short", "--device", "cpu", "--workers", "2")


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_all", BODY)
    return fleet


def kill_everything(fleet: SmallFleet) -> None:
    """SIGKILL to every process of a run, until none is left."""

    def gone() -> bool:
        for process in (found := fleet.processes()):
            with contextlib.suppress(psutil.Error):
                process.kill()
        return not found

    eventually(gone)


def ended(output: Path) -> int:
    """How many terminal words and op results are on disk."""
    journals = (output / "journal").glob("*.jsonl")
    data = b"".join(path.read_bytes() for path in journals)
    return sum(data.count(word) for word in (b'"test_ended"', b'"test_stopped"', b'"op_ended"'))


def attempts(output: Path) -> dict[str, list[TestRecord]]:
    found: dict[str, list[TestRecord]] = {}
    for record in read_merged(output)[1]:
        found.setdefault(record.identity.variant, []).append(record)
    return found


def resumed(fleet: SmallFleet, *words: str) -> tuple[int, str]:
    return finish(fleet.start_plain(*words, "--devices-from", "devices.json"))


def test_a_killed_run_goes_on_and_then_has_nothing_to_resume(fleet: SmallFleet) -> None:
    run = fleet.start(*RUN)
    eventually(lambda: ended(fleet.output) >= 2)
    kill_everything(fleet)
    run.communicate()
    begun = Counter((fleet.root / "begun.txt").read_text().split())
    settled = {r.identity.variant for r in fleet.records() if r.outcome is Outcome.PASSED}
    assert settled

    code, said = resumed(fleet, *RUN, "--resume", "out")
    assert code == 1, "the crash is the model's own, and stays"
    assert f"{len(settled)} of 6 tests stay as they are" in said
    last = {r.identity.variant: r for r in latest(read_merged(fleet.output)[1])}
    words = Counter(r.outcome for r in last.values())
    assert words == {Outcome.PASSED: 5, Outcome.CRASHED: 1}, said
    again = Counter((fleet.root / "begun.txt").read_text().split())
    for variant, tries in attempts(fleet.output).items():
        assert [r.attempt for r in tries] == list(range(1, len(tries) + 1))
        assert all(r.outcome is Outcome.KILLED for r in tries[:-1])
        assert 1 <= again[variant] <= len(tries), "one may be killed before its body begins"
        assert variant not in settled or again[variant] == begun[variant] == 1
    assert read_merged(fleet.output)[0].missing == ()

    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 2
    assert said.strip() == (
        "bringup: there is nothing to resume: the run in out is finished, every test has its result"
    )


def test_a_killed_run_is_merged_for_a_report_and_goes_on_all_the_same(fleet: SmallFleet) -> None:
    run = fleet.start(*RUN)
    eventually(lambda: ended(fleet.output) >= 2)
    kill_everything(fleet)
    run.communicate()
    code, said = finish(fleet.start_plain("finish", "out"))
    assert code == 0, said
    words = Counter(r.outcome for r in read_merged(fleet.output)[1])
    left = words[Outcome.KILLED] + words[Outcome.NOT_RUN]
    assert words.total() == 6 and 0 < left < 6 and words[Outcome.CRASHED] <= 1
    assert f"the run was cut off: {left} of 6 tests have no result of their own" in said
    assert "`bringup run --resume out` goes on with it" in said
    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 1, said
    last = Counter(r.outcome for r in latest(read_merged(fleet.output)[1]))
    assert last == {Outcome.PASSED: 5, Outcome.CRASHED: 1}


def test_a_run_goes_on_after_the_clock_went_back(fleet: SmallFleet) -> None:
    run = fleet.start(*RUN)
    eventually(lambda: ended(fleet.output) >= 2)
    kill_everything(fleet)
    run.communicate()
    later = re.compile(rb'"(time|created)":(\d+)')
    for path in (*(fleet.output / "journal").iterdir(), fleet.output / "plan.json"):
        data = later.sub(rb'"\1":9\2', path.read_bytes().replace(b'"created": ', b'"created":'))
        path.write_bytes(data)  # as a clock that is some centuries ahead writes it
    settled = {r.identity.variant for r in fleet.records() if r.outcome is Outcome.PASSED}
    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 1 and f"{len(settled)} of 6 tests stay as they are" in said
    header, records = read_merged(fleet.output)
    assert Counter(r.outcome for r in latest(records)) == {Outcome.PASSED: 5, Outcome.CRASHED: 1}
    assert outcome_counts_of_run(fleet.output) == {Outcome.PASSED: 5, Outcome.CRASHED: 1}
    assert header.missing == ()


def test_a_clock_set_back_during_a_run_and_before_it_goes_on_loses_nothing(
    fleet: SmallFleet, tmp_path: Path
) -> None:
    fleet.clock = tmp_path / "clock.txt"
    run = fleet.start(*RUN)
    eventually(lambda: ended(fleet.output) >= 1)
    fleet.clock.write_text("-7200")
    eventually(lambda: ended(fleet.output) >= 3)
    kill_everything(fleet)
    run.communicate()
    settled = {r.identity.variant for r in fleet.records() if r.outcome is Outcome.PASSED}
    begins = [r.started for r in fleet.records() if r.started is not None]
    assert max(begins) - min(begins) > 6000, "the step is in the journals"
    fleet.clock.write_text("-200000")
    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 1 and f"{len(settled)} of 6 tests stay as they are" in said
    header, records = read_merged(fleet.output)
    assert Counter(r.outcome for r in latest(records)) == {Outcome.PASSED: 5, Outcome.CRASHED: 1}
    assert outcome_counts_of_run(fleet.output) == {Outcome.PASSED: 5, Outcome.CRASHED: 1}
    assert header.missing == ()
    begun = Counter((tmp_path / "begun.txt").read_text().split())
    assert set(begun) == set(map(str, range(6)))
    assert all(begun[size] == 1 for size in settled)


def test_an_interrupted_run_goes_on_too(fleet: SmallFleet) -> None:
    run = fleet.start(*RUN)
    eventually(lambda: ended(fleet.output) >= 1)
    run.terminate()
    code, _ = finish(run)
    assert code == 130
    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 1, said
    last = Counter(r.outcome for r in latest(read_merged(fleet.output)[1]))
    assert last == {Outcome.PASSED: 5, Outcome.CRASHED: 1}


def test_what_cannot_be_resumed_is_a_sentence(fleet: SmallFleet) -> None:
    (fleet.root / "hold").touch()  # however long this process takes, it has not ended
    run = fleet.start(*RUN)
    eventually(lambda: ended(fleet.output) >= 1)
    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 2 and f"the run in out is still going on (process {run.pid})" in said
    kill_everything(fleet)
    run.communicate()
    (fleet.root / "empty").mkdir()
    for words, sentence in (
        (("run", "--resume", "nowhere"), "there is no run directory nowhere"),
        (("run", "--resume", "empty"), "there is no plan in empty: no run was begun there"),
        (("nightly", "--resume", "out"), "out is a run of run; `bringup run --resume out`"),
        (("weekly", "--resume"), "nothing to resume: no run of weekly below results is unfinish"),
        (("run", "--resume", "out", "--size", "tiny"), "out was planned with --size base; resume"),
        (("run", "--resume", "out", "--device", "n150"), "out was planned with --device cpu;"),
        (("run", "--resume", "out", "--model", "long"), "out was planned with --model short;"),
        (("run", "--resume", "out", "--shard", "1/2"), "out was planned with --shard 1/1;"),
        (("run", "--resume", "out", "--output", "x"), "leave --output out"),
    ):
        code, said = resumed(fleet, *words)
        assert code == 2 and said.startswith("bringup: ") and said.count("\n") == 1, said
        assert sentence in said
    fleet.file("test_all", BODY.replace("range(6)", "range(5)"))
    code, said = resumed(fleet, "run", "--resume", "out")
    assert code == 2 and "1 of its tests are not chosen any more (short[full-5-eval]@cpu)" in said


@pytest.mark.slow
def test_ops_of_a_test_that_was_cut_off_are_taken_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at three moments; every op of a real model has its result exactly once."""
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "verdicts.sqlite"))
    fleet = SmallFleet(tmp_path)
    fleet.root = REPOSITORY
    run_dir = str(fleet.output)
    chosen = ["op_by_op", "--model", "minilm", "--size", "tiny", "--device", "cpu", "--no-cache"]
    chosen += ["--durations", str(tmp_path / "durations.json")]
    dice = random.Random(5)
    wanted = [dice.randrange(1, 25), dice.randrange(26, 50), dice.randrange(51, 80)]
    for number, stop in enumerate(wanted):
        run = fleet.start_plain(*chosen, "--resume" if number else "--output", run_dir)
        eventually(lambda n=stop, r=run: ended(fleet.output) >= n or r.poll() is not None, 200.0)
        kill_everything(fleet)
        run.communicate()
        assert ended(fleet.output) >= stop
    code, said = finish(fleet.start_plain(*chosen, "--resume", run_dir), 300.0)
    assert code == 0, said
    events, _ = events_of(fleet.output)
    done = Counter(e.result.verdict.op.key for e, _ in events if isinstance(e, OpEnded))
    assert set(done.values()) == {1}
    assert [line.result.index for line in read_ops(fleet.output)] == list(range(len(done)))
