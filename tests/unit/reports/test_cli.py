# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.reports build` as a user runs it: a real process, its exit code and its
words.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.records.moves import Move
from bringup.harness.records.schema import Outcome
from tests.unit.run_builder import STARTED, identity, keep, record, stages, write_run

ROOT = Path(__file__).parents[3]


def reports(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bringup.reports", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def refused(*arguments: object) -> str:
    """The one sentence of a refusal."""
    done = reports(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def small_run(run_dir: Path, created: float = STARTED) -> Path:
    artifact = keep(run_dir, "module {}")
    records = [
        record(identity("t5"), stages=stages(artifacts=(artifact,))),
        record(identity("vit"), Outcome.FAILED),
    ]
    return write_run(run_dir, records, created=created, moves=[Move("a", "b", "add", "c", "d")])


def test_it_writes_the_documents_and_ends_well_whatever_the_results(tmp_path: Path) -> None:
    done = reports("build", small_run(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "index.html").exists()
    assert (tmp_path / "run" / "models.xlsx").exists()
    assert len(list((tmp_path / "run" / "ir").iterdir())) == 1
    assert "needs attention: 1" in done.stdout


def test_without_a_run_it_takes_the_newest(tmp_path: Path) -> None:
    small_run(tmp_path / "z-older", created=STARTED - 10)
    small_run(tmp_path / "deep" / "newer", created=STARTED)
    assert reports("build", "--results", tmp_path).returncode == 0
    assert (tmp_path / "deep" / "newer" / "index.html").exists()
    assert not (tmp_path / "z-older" / "index.html").exists()


def test_the_ir_option_is_obeyed(tmp_path: Path) -> None:
    run_dir = small_run(tmp_path)
    assert reports("build", run_dir, "--ir", "none").returncode == 0
    assert not (run_dir / "ir").exists()
    assert "invalid choice: 'some'" in refused("build", run_dir, "--ir", "some")


def test_rebuilding_gives_the_same_bytes_in_another_process_and_place(tmp_path: Path) -> None:
    """Every report of any past night can be rebuilt from its records and comes out identical."""
    written = []
    for seed in ("1", "2"):
        run_dir = small_run(tmp_path / seed)
        assert reports("build", run_dir, PYTHONHASHSEED=seed, TZ=f"XXX{seed}").returncode == 0
        files = sorted(p for p in run_dir.rglob("*") if p.is_file())
        written.append({p.relative_to(run_dir): p.read_bytes() for p in files})
    assert written[0] == written[1]
    assert len(written[0]) >= 7


def test_help_shows_examples_and_exit_codes() -> None:
    for arguments in (["--help"], ["build", "--help"]):
        done = reports(*arguments)
        assert done.returncode == 0
        assert "examples:" in done.stdout
        assert "exit codes:" in done.stdout


# --- a user's mistake is a sentence ----------------------------------------------------------


def test_nothing_to_report_on(tmp_path: Path) -> None:
    assert "no merged run below" in refused("build", "--results", tmp_path)
    assert "no merged run below" in refused("build", "--results", tmp_path / "absent")


def test_a_directory_that_is_not_a_merged_run(tmp_path: Path) -> None:
    assert "it has neither run.json nor a journal" in refused("build", tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("run.json", '{"schema": 999}', "upgrade bringup"),
        ("run.json", "not json", "not a RunHeader"),
        ("records.jsonl", '{"identity": 1}\n', "records.jsonl:1: not a record"),
        ("records.jsonl", "\xff\xfe", "not a record"),
        ("promotions.json", '{"a": 1}', "not a list of moves"),
        ("plan.json", "[]", "not a Plan"),
    ],
)
def test_a_malformed_file(tmp_path: Path, name: str, text: str, says: str) -> None:
    run_dir = small_run(tmp_path)
    (run_dir / name).write_bytes(text.encode("latin-1"))
    assert says in refused("build", run_dir)


def test_the_newest_cannot_be_told(tmp_path: Path) -> None:
    small_run(tmp_path / "fine")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    assert "cannot tell which run is the newest" in refused("build", "--results", tmp_path)


def test_a_document_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    run_dir = small_run(tmp_path)
    (run_dir / "index.html").mkdir()
    done = reports("build", run_dir)
    assert done.returncode == 3
    (said,) = done.stderr.splitlines()
    assert said.startswith("reports: format html: cannot write") and "index.html" in said
    assert (run_dir / "models.xlsx").exists()
    assert "needs attention: 1" in done.stdout and "models.xlsx" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say which VERB"),
        (["bulid"], "there is no verb `bulid`; did you mean build?"),
        (["build", "a", "b"], "`build` takes no `b`"),
    ],
)
def test_wrong_usage(arguments: list[str], says: str) -> None:
    assert says in refused(*arguments)


def test_only_the_formats_asked_for_are_written(tmp_path: Path) -> None:
    run_dir = small_run(tmp_path)
    assert reports("build", run_dir, "--format", "xlsx").returncode == 0
    assert (run_dir / "models.xlsx").exists() and not (run_dir / "index.html").exists()
    assert reports("build", run_dir, "--format", "html", "--format", "json").returncode == 0
    assert (run_dir / "index.html").exists()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("xslx,html", "unknown format 'xslx'; known are xlsx, markdown, json"),
        ("", "expected names with commas between them"),
        ("xlsx,", "expected names with commas between them"),
    ],
)
def test_a_format_that_there_is_not(tmp_path: Path, names: str, says: str) -> None:
    run_dir = small_run(tmp_path)
    assert says in refused("build", run_dir, "--format", names)
    assert not (run_dir / "models.xlsx").exists()


def test_a_help_imports_nothing_that_reads_or_draws() -> None:
    """An eye waits for it: half a second of spreadsheet library is no part of a help."""
    program = (
        "import contextlib, sys\n"
        "from bringup.reports.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main(['build', '--help'])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = set(done.stderr.split())
    heavy = {"openpyxl", "jinja2", "rich.console", "numpy", "torch", "zstandard"}
    assert "bringup.reports.formats.xlsx" in imported
    assert heavy & imported == set()
    assert not any(name.startswith("bringup.reports.model") for name in imported)
