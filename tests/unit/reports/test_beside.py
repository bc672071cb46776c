# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A process that writes the documents on ops writes what one process would, and may die."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.reports import build as building
from bringup.reports.attempts import Attempts
from bringup.reports.beside import Beside, ProcessEnded
from bringup.reports.build import build
from bringup.reports.catalog import SHIPPED
from bringup.reports.html import artifact_pages
from bringup.reports.html.artifact_pages import write_artifact_pages
from bringup.reports.reporter import ArtifactChoice, Document, ModelsReport, Written
from tests.rooms import ROOT
from tests.unit.reports.op_runs import T5, VIT, low, run_of
from tests.unit.run_builder import op_result

RUN = {T5: [low(), op_result(1)], VIT: [op_result()]}


def documents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_processes_write_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, RUN)
    alone = build(run, reporters=SHIPPED)
    before = documents(run)
    monkeypatch.setattr(building, "is_worth_it", lambda rows: rows == 3)
    built = build(run, reporters=SHIPPED)
    assert documents(run) == before and "models_op_per_op.xlsx" in before
    assert built.of_models == alone.of_models and built.of_models.written


def test_what_a_format_says_and_how_its_process_ends_are_sentences() -> None:
    report = ModelsReport((), Path("run"))

    def full(_: ModelsReport) -> Written:
        raise RecordError("the disk is full")

    def dies(_: ModelsReport) -> Written:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def writes(report: ModelsReport) -> Written:
        return Written((Document("names", report.folder / "names.txt"),), ("one is lost",))

    def made(**formats: Callable[[ModelsReport], Written]) -> Attempts:
        attempts = Attempts()
        for name, write in formats.items():
            attempts.make(name, write, report)
        return attempts

    found = Beside(lambda: made(full=full, names=writes)).result()
    assert found.failures == ["format full: the disk is full"]
    assert found.written == {"names": writes(report)} and found.losses == ("one is lost",)
    with pytest.raises(ProcessEnded, match=r"^its process ended with SIGKILL$"):
        Beside(lambda: made(dies=dies)).result()


@pytest.mark.parametrize("dies", [False, True])
def test_two_processes_write_the_same_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    """Where the other one dies, this one writes them all."""
    run = run_of(tmp_path, RUN)
    store = ArtifactStore(run)
    texts = [store.put(f"text {i}", "stablehlo") for i in range(5)]
    (run / "blobs" / texts[1].sha256[:2] / f"{texts[1].sha256}.zst").unlink()
    alone = write_artifact_pages(run, (), ArtifactChoice.ALL, texts)
    before = documents(run)
    shutil.rmtree(run / "ir")
    monkeypatch.setattr(artifact_pages, "is_worth_it", lambda pages: pages == 5)
    if dies:
        own, content = os.getpid(), artifact_pages._content

        def dying(*given: Any) -> bytes:
            if os.getpid() != own:
                os.kill(os.getpid(), signal.SIGKILL)
            return content(*given)

        monkeypatch.setattr(artifact_pages, "_content", dying)
    assert write_artifact_pages(run, (), ArtifactChoice.ALL, texts) == alone
    assert documents(run) == before and len(alone.links) == 4 and len(alone.losses) == 1


def test_it_ends_with_whoever_wanted_it() -> None:
    beside = Beside(signal.pause)
    beside.give_up()
    with pytest.raises(ProcessLookupError):
        os.kill(beside._process, 0)


def test_a_report_of_few_ops_begins_no_process(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from bringup.reports.beside import WORTH_IT, is_worth_it\n"
        "print(is_worth_it(WORTH_IT - 1), is_worth_it(WORTH_IT))\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "print(is_worth_it(WORTH_IT))\n"
    )
    cores = len(os.sched_getaffinity(0))
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said == ["False", str(cores > 1), "False"]


def test_a_process_that_hangs_is_ended_and_said() -> None:
    beside = Beside(signal.pause)
    with pytest.raises(ProcessEnded, match=r"^its process gave no answer for 0\.1 s"):
        beside.result(longest_s=0.1)
    with pytest.raises(ChildProcessError):
        os.waitpid(beside._process, os.WNOHANG)  # other tests have processes of their own
