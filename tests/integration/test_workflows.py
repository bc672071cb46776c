# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Our workflows, rehearsed: every job in a clean clone, its real lines, two nights in a row."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.records.night import Judgement, read_night
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome
from tests.integration.nox_door import made_environment
from tests.integration.small_fleet import REPOSITORY
from tests.rehearsal.github import Repository
from tests.rehearsal.workflows import Job, Runner

pytestmark = pytest.mark.slow
MODELS = """
import pytest
import torch
from bringup import ModelTester

class Net(torch.nn.Module):
    def forward(self, x):
        return x * 2 + 1

class Tester(ModelTester):
    def _load_model(self): return Net()
    def _load_inputs(self): return torch.rand(3, 4)

@pytest.mark.parametrize("variant", ["a", "b", "c"])
@pytest.mark.parametrize("flow", ["full-eval"])
def test_rehearsed(variant, flow):
    tester = Tester("rehearsed", "eval")
    tester.test_model()
    tester.finalize()
"""
OTHER = MODELS.replace("rehearsed", "other")
NAME = "tests/models/{0}/test_{0}.py::test_{0}[full-eval-{1}]"
LISTED = [NAME.format("rehearsed", "a"), NAME.format("rehearsed", "b"), NAME.format("other", "a")]
LIST = "[cpu]\ntests = [\n" + "".join(f'  "{one}",\n' for one in LISTED) + "]\n"
GH = """#!/bin/sh
echo "$@" >> "$HOME/../gh.txt"
"""


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Our repository with two small models on its lists, and runners that have Python and nox."""
    root = tmp_path_factory.mktemp("github")
    clone = ["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(root / "origin")]
    subprocess.run(clone, check=True)
    repository = Repository(root / "origin")
    for folder in (repository.folder / "tests" / "models").iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    for path in (repository.folder / "tests" / "lists").glob("*.toml"):
        path.write_text(LIST if path.stem.startswith("nightly_full") else "")
    write(repository, "rehearsed", MODELS)
    write(repository, "other", OTHER)
    commit(repository, "two small models")
    environment = made_environment(root / "env", repository.folder)
    binaries = root / "bin"
    binaries.mkdir()
    (binaries / "gh").write_text(GH)
    (binaries / "gh").chmod(0o755)
    path = f"{binaries}:{Path(sys.executable).parent}:/usr/bin:/bin"

    def variables(job: str) -> dict[str, str]:
        whole = {} if job == "report" else {"BRINGUP_ENV": str(environment)}
        return {"PATH": path, **whole}

    return Runner(repository, root, {"PUBLISH_PAGES": "yes", "OPEN_MOVES": "yes"}, variables)


def write(repository: Repository, model: str, body: str) -> None:
    folder = repository.folder / "tests" / "models" / model
    folder.mkdir(exist_ok=True)
    licence = "# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors\n"
    (folder / f"test_{model}.py").write_text(licence + body)


def commit(repository: Repository, says: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    git = ["git", "-C", str(repository.folder), *who]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", says], check=True)


def statuses(jobs: dict[str, list[Job]]) -> dict[str, list[str]]:
    return {job_id: [job.status for job in of_matrix] for job_id, of_matrix in jobs.items()}


def said(jobs: dict[str, list[Job]]) -> str:
    """All that every job said, for whoever reads a failure."""
    return "\n".join(f"--- {job.name}\n" + "\n".join(job.log) for of in jobs.values() for job in of)


def night_of(job: Job) -> Path:
    assert job.folder is not None
    return job.folder / "work" / "results" / "night"


def test_two_nights_a_lost_shard_and_a_second_attempt(runner: Runner) -> None:
    first = runner.run("nightly.yml", run_id="101")
    well = {"plan": ["success"], "shard": ["success"] * 3, "report": ["success"]}
    assert statuses(first) == well | {"pages": ["success"], "moves": ["success"]}, said(first)
    (report,) = first["report"]
    assert "3 tests on 1 device" in report.summary
    assert report.folder is not None
    small = report.folder / "work" / ".nox" / "reading"
    assert small.is_dir() and not list(small.glob("lib/*/site-packages/torch*"))
    assert (runner.pages / "index.html").is_file()

    broken = MODELS.replace("return x * 2 + 1", "return torch.special.airy_ai(x)")
    write(runner.repository, "rehearsed", broken)
    commit(runner.repository, "a model that has no lowering")
    runner.lost, runner.cancelled = frozenset({"shard 1/3"}), frozenset({"shard 2/3"})
    second = runner.run("nightly.yml", run_id="102")
    assert statuses(second)["shard"][:2] == ["failure", "cancelled"]
    assert statuses(second)["report"] == ["failure"], said(second)  # tests that nobody ran
    night = night_of(second["report"][0])
    records = read_merged(night)[1]
    words = [record.outcome for record in records]
    assert len({r.identity.key for r in records}) == 3
    assert words.count(Outcome.NOT_RUN) == 2, words
    assert (night / "index.html").is_file() and second["report"][0].summary

    runner.lost, runner.cancelled = frozenset(), frozenset()
    again = runner.run("nightly.yml", run_id="102", failed=second)
    assert [job.attempt for job in again["plan"]] == [1]
    assert {job.attempt for job in again["shard"][:2]} == {2}
    night = night_of(again["report"][0])
    records = latest(read_merged(night)[1])  # what failed ran again, and has two attempts
    assert len(records) == 3, said(again)
    assert {r.outcome for r in records} == {Outcome.PASSED, Outcome.FAILED}
    verdict = read_night(night)
    assert verdict is not None and verdict.baseline is not None
    assert verdict.baseline.run == read_merged(night_of(report))[0].run_id  # yesterday
    judged = [t.judgement for t in verdict.tests]
    assert judged == [Judgement.SUSPECTED] * 2, judged
    assert "airy_ai" in again["report"][0].summary
    assert again["moves"][0].status == "success", said(again)


def test_one_model_by_dispatch(runner: Runner) -> None:
    inputs = {"model": "other", "device": "cpu", "runner": "ubuntu-24.04"}
    jobs = runner.run("bringup.yml", inputs=inputs, run_id="201")
    assert statuses(jobs) == {"bringup": ["success"]}, said(jobs)
    assert "3 tests on 1 device" in jobs["bringup"][0].summary  # its variants, listed or not


def test_a_week(runner: Runner) -> None:
    path = runner.repository.folder / "tests" / "lists" / "weekly_op_by_op.toml"
    flow = LISTED[2].replace("full", "op_by_op_torch")
    path.write_text(f'[cpu]\ntests = ["{flow}"]\n')
    write(
        runner.repository,
        "other",
        OTHER.replace('["full-eval"]', '["full-eval", "op_by_op_torch-eval"]'),
    )
    commit(runner.repository, "a weekly list")
    jobs = runner.run("weekly.yml", run_id="301")
    words = {"plan": ["success"], "shard": ["success"], "report": ["success"]}
    assert statuses(jobs) == words | {"pages": ["skipped"], "moves": ["skipped"]}, said(jobs)


def test_a_change_is_told_what_it_breaks(runner: Runner) -> None:
    runner.left_out = frozenset({"tests"})  # what CI of this very checkout runs
    base = runner.repository.head()
    broken = OTHER.replace("return x * 2 + 1", "return torch.special.airy_ai(x)")
    write(runner.repository, "other", broken)
    commit(runner.repository, "a change")
    event = {"pull_request": {"base": {"sha": base}, "number": 7}}
    jobs = runner.run("pr.yml", event=event, run_id="401")
    (models,) = jobs["models"]
    assert models.status == "failure", said(jobs)  # it broke what a list promises
    assert "1 test on 1 device" in models.summary and "other[full" in models.summary
    assert "rehearsed[full" not in models.summary
    assert models.folder is not None
    told = (models.folder / "gh.txt").read_text()
    assert told.startswith("pr comment 7 --edit-last") and "comment.md" in told
