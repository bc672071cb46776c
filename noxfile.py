# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The only door of a checkout: every session is one call of `bringup VERB` or of a tool.

All sessions share one environment, `.nox/bringup`, made on first use from pyproject.toml and
constraints.txt, and made again when they change: torch is installed once. What stands after `--`
goes to the command; see `nox -s nightly -- --help`.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["nightly"]

ROOT = Path(__file__).parent
ENVIRONMENT = Path(os.environ.get("BRINGUP_ENV", ROOT / ".nox" / "bringup"))
READING = ROOT / ".nox" / "reading"
"""Made where nothing but records is read and the whole environment is not there: no torch in it."""
EXTRAS = "tt,iree,files,fleet,dev,docs"
STACK = frozenset({"torch", "torch-mlir", "jax", "jaxlib", "onnx", "onnxruntime"})
"""What is tested: gigabytes that reading records takes nothing of."""


def prepare(session: nox.Session, *, reading: bool = False) -> str:
    """The Python of an environment that is as wanted, made on first use.

    It is the shared one; for sessions that read records, where that is absent, a small one.
    """
    if is_made(ENVIRONMENT) or not reading:
        install(session, ENVIRONMENT, ("--editable", f".[{EXTRAS}]"))
        return str(ENVIRONMENT / "bin" / "python")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["files"]]
    wanted = [one for one in wanted if re.split(r"[<>=\[]", one)[0] not in STACK]
    install(session, READING, wanted, ("--no-deps", "--editable", "."))
    return str(READING / "bin" / "python")


def made_of() -> str:
    """What an environment is made of, as a digest."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    parts = b"".join(f.read_bytes() for f in files) + sys.version.encode()
    return hashlib.sha256(parts).hexdigest()


def is_made(environment: Path) -> bool:
    """Is an environment there as it is wanted now?"""
    stamp = environment / "installed"
    return stamp.is_file() and stamp.read_text() == made_of()


def install(session: nox.Session, environment: Path, *packages: Sequence[str]) -> None:
    """Make an environment, unless it is there."""
    python = str(environment / "bin" / "python")
    if not is_made(environment):
        minutes = "a few minutes, once" if environment == ENVIRONMENT else "half a minute, once"
        session.log(f"installing {environment.name}; this takes {minutes}")
        session.run(sys.executable, "-m", "venv", "--clear", str(environment), external=True)
        pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        for some in packages:
            session.run(*pip, "--constraint", "constraints.txt", *some, external=True)
        (environment / "installed").write_text(made_of())
    compile_ours(session, python)


def compile_ours(session: nox.Session, python: str) -> None:
    """Write our own bytecode, as pip writes the libraries'.

    Where PYTHONDONTWRITEBYTECODE is set, as containers like to, every process of a run would
    compile all of it again: a third of what the test suite takes. Whatever cannot be written is
    done without.
    """
    rooms = ("bringup", "harness", "pipeline", "reports", "tests")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        compiling = (python, "-m", "compileall", "-qq", *rooms)
        session.run(*compiling, external=True, silent=True, success_codes=[0, 1])


def python(session: nox.Session, *arguments: str) -> None:
    """Run Python in the shared environment; the session fails when it does."""
    session.run(prepare(session), *arguments, external=True)


def call(program: str, *arguments: str, **variables: str) -> int:
    """Run a program to its end, and return its exit code.

    Ctrl-C reaches it too: it ends in its own time, with its records written.
    """
    process = subprocess.Popen([program, *arguments], env=os.environ | variables)
    while True:
        try:
            code = process.wait()
            return 128 - code if code < 0 else code
        except KeyboardInterrupt:
            continue


def end_as(code: int) -> None:
    """End as a command did: nox by itself makes 1 of every exit code but 0."""
    if code:
        raise SystemExit(code)


def command(session: nox.Session, *arguments: str, reading: bool = False) -> None:
    """Run a command with exit codes of its own, and end as it did when it did not end well."""
    end_as(call(prepare(session, reading=reading), *arguments, *session.posargs))


def verb(session: nox.Session, name: str, *, reading: bool = False) -> None:
    """Run a verb of the command line, with what stands after `--`, and end as it did."""
    command(session, "-m", "bringup", name, reading=reading)


@nox.session
def nightly(session: nox.Session) -> None:
    """Run the nightly lists on this machine's devices, report, propose list moves."""
    verb(session, "nightly")


@nox.session
def weekly(session: nox.Session) -> None:
    """Run the weekly op-by-op list, report."""
    verb(session, "weekly")


@nox.session
def e2e_compile(session: nox.Session) -> None:
    """Run the nightly e2e compile list: everything up to the device's compiler, report."""
    verb(session, "e2e_compile")


@nox.session
def op_by_op(session: nox.Session) -> None:
    """Run every op alone: nox -s op_by_op -- --model bert --device cpu,n150, or -- --all."""
    verb(session, "op_by_op")


@nox.session
def op_sweep(session: nox.Session) -> None:
    """Run generated cases of single ops: nox -s op_sweep -- --device cpu,n150 --op NAME."""
    verb(session, "op_sweep")


@nox.session
def repro(session: nox.Session) -> None:
    """Run a failed op's reproducer, or reduce a failing model: nox -s repro -- KEY or TEST."""
    verb(session, "repro")


@nox.session
def run(session: nox.Session) -> None:
    """Run any tests by id, file, --model or --flow, report: nox -s run -- --model bert."""
    verb(session, "run")


@nox.session(name="try")
def try_model(session: nox.Session) -> None:
    """Try a model that has no test: nox -s try -- model.onnx, zoo/, package.module:NAME."""
    verb(session, "try")


@nox.session
def report(session: nox.Session) -> None:
    """Build a run's documents from its records again: nox -s report -- --format xlsx,html.

    The newest run, if none is named. A run directory that nobody has merged yet, of plain pytest
    or of a run that was killed, is merged first. One that runs is shown by -- --serve.
    """
    verb(session, "report", reading=True)


@nox.session
def ops(session: nox.Session) -> None:
    """Say of all runs below results/ which ops block models, and which each device has seen."""
    verb(session, "ops", reading=True)


@nox.session
def plan(session: nox.Session) -> None:
    """Choose a run's tests once, for all its shards: nox -s plan -- --shards 4."""
    verb(session, "plan")


@nox.session
def merge(session: nox.Session) -> None:
    """Merge shards into one run and report it, whole or not: nox -s merge -- DIR... --into DIR."""
    verb(session, "merge", reading=True)


@nox.session
def lists(session: nox.Session) -> None:
    """Say everything that is wrong with the lists of tests."""
    verb(session, "lists")


@nox.session
def promote(session: nox.Session) -> None:
    """Print the list moves that a run's records support; write them with -- --write."""
    verb(session, "promote")


@nox.session
def history(session: nox.Session) -> None:
    """Add runs and others' reports to the history: -- add RUN; rebuild, verify or prune it."""
    verb(session, "history", reading=True)


@nox.session
def why(session: nox.Session) -> None:
    """Tell what a night came to beside the ones before: -- RUN; exit code 1 if it regressed."""
    verb(session, "why", reading=True)


@nox.session
def explain(session: nox.Session) -> None:
    """Tell where a test stands and what would move it, and its story: -- TEST."""
    verb(session, "explain", reading=True)


@nox.session
def issues(session: nox.Session) -> None:
    """Tell which causes break what lists promise, and where each is tracked: -- --write."""
    verb(session, "issues", reading=True)


@nox.session
def compare(session: nox.Session) -> None:
    """Tell one run against another: -- RUN_A RUN_B; as a page with --html."""
    verb(session, "compare", reading=True)


@nox.session
def devices(session: nox.Session) -> None:
    """List what this machine has, what it can only compile for, and why the rest is missing."""
    verb(session, "devices")


@nox.session
def doctor(session: nox.Session) -> None:
    """Say what is missing here, and how to get it; nothing is changed."""
    verb(session, "doctor", reading=True)


@nox.session
def help_env(session: nox.Session) -> None:
    """List every environment variable: what it takes, its default, what it holds, who reads it."""
    verb(session, "help_env", reading=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite without the slow marker, on up to four cores (-- -n 0: in one process)."""
    cores = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
    python(session, "-m", "pytest", "-m", "not slow", *cores, *session.posargs)


@nox.session
def slow_tests(session: nox.Session) -> None:
    """Run the tests that take minutes each."""
    python(session, "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, licence headers, the lists and the workflows."""
    python(session, "-m", "ruff", "check")
    python(session, "-m", "ruff", "format", "--check")
    python(session, "-m", "mypy")
    python(session, "-m", "tests.licence_header")
    session.run(str(ENVIRONMENT / "bin" / "actionlint"), external=True)
    zizmor = ("--offline", "--quiet", "--persona", "auditor", ".github")
    session.run(str(ENVIRONMENT / "bin" / "zizmor"), *zizmor, external=True)
    python(session, "-m", "bringup", "lists")


def open_what(session: nox.Session, folder: str, *words: str) -> None:
    """Have a verb write what a platform is to be told of a run, and tell it.

    A script that came with the run is not ours, and is not run.
    """
    script = Path(session.posargs[0]) / folder / "commands.sh"
    script.unlink(missing_ok=True)
    end_as(call(prepare(session), "-m", "bringup", *words))
    if not script.is_file():
        session.log("there is nothing to open")
        return
    end_as(call("gh", "auth", "setup-git"))
    end_as(call("sh", str(script)))


@nox.session
def open_pull_request(session: nox.Session) -> None:
    """Move tests between lists by a pull request, with gh: -- RUN_DIR."""
    open_what(session, "pull_request", "promote", session.posargs[0], "--pr", "--commit")


@nox.session
def open_issues(session: nox.Session) -> None:
    """Open an issue for each cause that asks for one, with gh: -- RUN_DIR."""
    open_what(session, "issues", "issues", session.posargs[0], "--write")


@nox.session
def tell_pull_request(session: nox.Session) -> None:
    """Comment on the pull request $NUMBER what came of a run: -- RUN_DIR."""
    comment = Path(session.posargs[0]) / "comment.md"
    if not comment.is_file():
        session.log("nothing was run: there is nothing to tell")
        return
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(comment.read_text("utf-8"))
    words = ("--edit-last", "--create-if-none", "--body-file", str(comment))
    if call("gh", "pr", "comment", os.environ["NUMBER"], *words):  # from a fork nobody may
        session.warn("the pull request could not be told; the job's summary has it")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into build/docs, without the network; a warning is an error."""
    strict = ("-m", "sphinx", "--fail-on-warning", "--keep-going", "--fresh-env", "--quiet")
    python(session, *strict, "docs", "build/docs", *session.posargs)
    session.log("built build/docs/index.html")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: nox -s bench -- overhead, or -- op_by_op; writes results/benchmarks/NAME.json."""
    command(session, "-m", "tests.benchmarks")
