# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One run of a workflow: its jobs in order, each in a clean clone, each step as its line says.

Source: GitHub Actions, "Workflow syntax": a job needs others; without an `if` it is skipped where
one of them did not succeed; a matrix makes jobs of one; a step that fails skips the rest but
those with `always()`.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.rehearsal.expressions import Context, as_text, condition, inserted
from tests.rehearsal.github import Artifacts, Caches, Repository, copy

_SECONDS = 900.0


@dataclass
class Job:
    """What became of one job of the matrix."""

    name: str
    status: str = "success"
    """`success`, `failure`, `cancelled` or `skipped`."""
    attempt: int = 1
    outputs: dict[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    summary: str = ""
    folder: Path | None = None
    """Its machine's, with `work`, the workspace."""


@dataclass
class Runner:
    """Carries out workflows of one repository; what it keeps lasts from run to run."""

    repository: Repository
    scratch: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the repository, `vars`."""
    environment: Callable[[str], Mapping[str, str]] = lambda name: {}
    """What a job's machine has in its environment."""
    lost: frozenset[str] = frozenset()
    """Jobs whose machine is gone before their first step, by name."""
    cancelled: frozenset[str] = frozenset()
    """Jobs that somebody cancels once they began to run tests."""
    left_out: frozenset[str] = frozenset()
    """Ids of jobs that are not carried out here."""
    caches: Caches = field(init=False)
    pages: Path = field(init=False)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.caches = Caches(self.scratch / "caches")
        self.pages = self.scratch / "pages"

    def run(
        self,
        name: str,
        event: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        run_id: str = "1",
        failed: Mapping[str, list[Job]] | None = None,
    ) -> dict[str, list[Job]]:
        """Carry out a workflow; what became of its jobs, by their ids.

        Args:
            event: `github.event`.
            inputs: Of a dispatch, or of the caller.
            run_id: Of the run; its attempts share artifacts.
            failed: The first attempt. Its jobs that did not succeed run again, and what needs them.
        """
        workflow = self._read(name)
        github = {
            "run_id": run_id,
            "run_attempt": "1" if failed is None else "2",
            "event": dict(event or {}),
            "token": "no-token",
            "ref": "refs/heads/main",
            "workflow": workflow["name"],
        }
        given = defaults_of(workflow) | dict(inputs or {})
        whole = {"github": github, "inputs": given, "vars": dict(self.variables)}
        done: dict[str, list[Job]] = {}
        for job_id, job in workflow["jobs"].items():
            if job_id in self.left_out:
                done[job_id] = [Job(job_id, "skipped")]
            elif "uses" in job:
                handed = {k: inserted(str(v), whole) for k, v in job.get("with", {}).items()}
                path = job["uses"].removeprefix("$/.github/workflows/")
                done |= self.run(path, event, handed, run_id, failed)
            else:
                earlier = failed.get(job_id, []) if failed else []
                done[job_id] = self._job(job_id, job, workflow, whole, done, earlier)
        return done

    def _read(self, name: str) -> dict[str, Any]:
        path = self.repository.folder / ".github" / "workflows" / name
        found = yaml.safe_load(path.read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    def _job(
        self,
        job_id: str,
        job: Mapping[str, Any],
        workflow: Mapping[str, Any],
        whole: Context,
        done: Mapping[str, list[Job]],
        earlier: list[Job],
    ) -> list[Job]:
        needed = job.get("needs", [])
        needed = [needed] if isinstance(needed, str) else needed
        needs = {n: {"result": result_of(done[n]), "outputs": outputs_of(done[n])} for n in needed}
        failed = any(n["result"] != "success" for n in needs.values())
        status = {"status": "failure" if failed else "success"}
        context = {**whole, "needs": needs, "job": status}
        if not condition(job.get("if", "true"), context):
            return [Job(job_id, "skipped")]
        matrix = job.get("strategy", {}).get("matrix", {})
        rows = combinations(inserted(matrix, context) if isinstance(matrix, str) else matrix)
        anew = not earlier or any(job.attempt > 1 for n in needed for job in done[n])
        return [
            earlier[i]
            if not anew and earlier[i].status == "success"
            else self._one(job_id, job, workflow, {**context, "matrix": row})
            for i, row in enumerate(rows)
        ]

    def _one(
        self, job_id: str, job: Mapping[str, Any], workflow: Mapping[str, Any], context: Context
    ) -> Job:
        name = as_text(inserted(job.get("name", job_id), context))
        found = Job(name, attempt=int(context["github"]["run_attempt"]))
        if name in self.lost:
            found.status = "failure"
            found.log.append("the runner was lost")
            return found
        number = next(self._numbers)
        found.folder = self.scratch / f"job-{number}-{job_id}"
        machine = _Machine(self, found, found.folder, context)
        machine.set_variables(workflow.get("env", {}), job.get("env", {}), self.environment(name))
        for step in job["steps"]:
            machine.step(step)
        for key, text in job.get("outputs", {}).items():
            found.outputs[key] = inserted(text, machine.context)
        return found


class _Machine:
    """A fresh machine that a job has for itself."""

    def __init__(self, runner: Runner, job: Job, folder: Path, context: Context) -> None:
        self.runner, self.job, self.folder = runner, job, folder
        self.workspace = folder / "work"
        self.workspace.mkdir(parents=True)
        self.steps: dict[str, Any] = {}
        self.state = {"status": "success"}
        self.context = {**context, "job": self.state, "steps": self.steps, "env": {}}
        self.artifacts = Artifacts(runner.scratch / f"run-{context['github']['run_id']}")

    def set_variables(self, *given: Mapping[str, Any]) -> None:
        home = self.folder / "home"
        home.mkdir()
        binaries = self.folder / "bin"
        binaries.mkdir()
        (binaries / "python").symlink_to(sys.executable)
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        github = self.context["github"]
        self.variables = {
            **kept,
            "HOME": str(home),
            "PATH": f"{binaries}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.workspace),  # as an editable installation has it
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": github["run_id"],
            "GITHUB_RUN_ATTEMPT": github["run_attempt"],
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
        }
        for some in given:
            self.variables |= self._texts(some)
        self.context["env"] = self.variables

    def _texts(self, given: Mapping[str, Any]) -> dict[str, str]:
        return {name: as_text(inserted(str(v), self.context)) for name, v in given.items()}

    def step(self, step: Mapping[str, Any]) -> None:
        """One step, if its condition holds."""
        if not condition(step.get("if", "true"), self.context):
            return
        try:
            if "run" in step:
                self._run(step)
            else:
                options = self._texts(step.get("with", {}))
                _ACTIONS[step["uses"].partition("@")[0]](self, options)
        except (OSError, subprocess.CalledProcessError) as error:
            self.job.log.append(f"{step.get('run') or step['uses']}: {error}")
            if self.state["status"] == "success":
                self.state["status"] = self.job.status = "failure"

    def _run(self, step: Mapping[str, Any]) -> None:
        line = inserted(step["run"], self.context)
        if self.job.name in self.runner.cancelled and "--plan" in line and "--shard" in line:
            self.job.log.append(f"{line}: cancelled")
            self.state["status"] = self.job.status = "cancelled"
            return
        output = Path(self.variables["GITHUB_OUTPUT"])
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line],
            cwd=self.workspace,
            env=self.variables | self._texts(step.get("env", {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
        self.job.log.append(f"$ {line}\n{done.stdout}")
        summary = Path(self.variables["GITHUB_STEP_SUMMARY"])
        self.job.summary = summary.read_text("utf-8") if summary.exists() else ""
        pairs = (row.partition("=") for row in output.read_text("utf-8").splitlines())
        if "id" in step:
            self.steps[step["id"]] = {"outputs": {name: text for name, _, text in pairs}}
        done.check_returncode()

    # --- actions ---

    def checkout(self, options: Mapping[str, str]) -> None:
        self.runner.repository.clone(self.workspace)

    def nothing(self, options: Mapping[str, str]) -> None:
        """Python is here already."""

    def restore(self, options: Mapping[str, str]) -> None:
        prefixes = options.get("restore-keys", "").split()
        key = self.runner.caches.restore(options["key"], prefixes, self.workspace)
        self.job.log.append(f"cache {key or 'none'}")

    def save(self, options: Mapping[str, str]) -> None:
        saved = self.runner.caches.save(options["key"], self.workspace, options["path"].split())
        self.job.log.append(f"cache {options['key']}: {'saved' if saved else 'not saved'}")

    def upload(self, options: Mapping[str, str]) -> None:
        path = self.workspace / options["path"]
        if not path.exists():
            if options.get("if-no-files-found") == "error":
                raise FileNotFoundError(f"no files in {options['path']}")
            return
        overwrite = options.get("overwrite") == "true"
        self.artifacts.upload(options["name"], path, overwrite=overwrite)

    def download(self, options: Mapping[str, str]) -> None:
        into = self.workspace / options["path"]
        if "name" in options:
            self.artifacts.download(options["name"], into)
        else:
            self.artifacts.download_all(options["pattern"], into)

    def deploy(self, options: Mapping[str, str]) -> None:
        copy(self.artifacts.folder / options["artifact_name"], self.runner.pages)


_ACTIONS: dict[str, Callable[[_Machine, Mapping[str, str]], None]] = {
    "actions/checkout": _Machine.checkout,
    "actions/setup-python": _Machine.nothing,
    "actions/cache/restore": _Machine.restore,
    "actions/cache/save": _Machine.save,
    "actions/upload-artifact": _Machine.upload,
    "actions/download-artifact": _Machine.download,
    "actions/upload-pages-artifact": _Machine.upload,
    "actions/deploy-pages": _Machine.deploy,
}


def defaults_of(workflow: Mapping[Any, Any]) -> dict[str, Any]:
    """What inputs are where nobody says otherwise."""
    events = workflow[True]  # YAML 1.1 reads `on` so
    asked = [event for event in events.values() if event] if isinstance(events, dict) else []
    inputs = [event.get("inputs", {}) for event in asked if isinstance(event, dict)]
    return {n: one["default"] for some in inputs for n, one in some.items() if "default" in one}


def combinations(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a matrix: its `include` where there is nothing else, or all combinations."""
    if "include" in matrix:
        return [dict(row) for row in matrix["include"]]
    names = list(matrix)
    return [dict(zip(names, row, strict=True)) for row in itertools.product(*matrix.values())]


def result_of(jobs: list[Job]) -> str:
    """What a job came to over its matrix, as `needs.NAME.result` says it."""
    words = {job.status for job in jobs}
    return next((w for w in ("failure", "cancelled", "skipped") if w in words), "success")


def outputs_of(jobs: list[Job]) -> dict[str, Any]:
    """The outputs of a job; of a matrix those of its last."""
    return {name: found for job in jobs for name, found in job.outputs.items()}
