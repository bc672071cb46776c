# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One registry knows the formats: each says what it writes, and one more is two files, or none."""

import ast
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Outcome
from bringup.harness.records.variable_names import REPORTERS_VARIABLE
from bringup.reports import catalog
from bringup.reports.build import build, build_results
from bringup.reports.cli import main
from tests.unit.reports.html.unpacked import details, texts
from tests.unit.reports.op_runs import N150, low, run_of
from tests.unit.run_builder import identity, keep, op_result, record, stages, write_run

ROOT = Path(__file__).parents[3]
FORMATS = [reporter.NAME for reporter in catalog.SHIPPED]


def whole_run(run_dir: Path) -> Path:
    """A run that every format has something to say on."""
    artifacts = (keep(run_dir, "module {}"),)
    plain = record(identity("t5"), stages=stages(artifacts=artifacts))
    ops = {N150: [op_result(), *(low(i, name=f"aten.op{i}") for i in range(1, 120))]}
    return write_run(run_dir, [plain, record(N150, Outcome.REACHED)], ops=ops)


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_what_it_says_and_nothing_else(tmp_path: Path, name: str) -> None:
    tmp_path /= "run"
    before = files(whole_run(tmp_path))
    (reporter,) = catalog.chosen([name])
    built = build(tmp_path, reporters=[reporter])
    of_all = build_results(tmp_path.parent, [reporter])
    made = files(tmp_path) - before
    made |= {document.path.name for document in of_all.documents}
    assert not built.failures and not of_all.failures and made
    unsaid = [file for file in made if not any(fnmatchcase(file, p) for p in reporter.WRITES)]
    assert unsaid == []
    assert [p for p in reporter.WRITES if not any(fnmatchcase(f, p) for f in made)] == []
    named = [*built.of_run.documents, *built.of_models.documents, *of_all.documents]
    assert named and all(document.path.exists() for document in named)


class Links(HTMLParser):
    """What a page leads to in its own run."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.page, self.found = page, set[Path]()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = (dict(attrs).get("href") or "").partition("#")[0]
        if tag == "a" and address and "://" not in address:
            self.found.add((self.page.parent / address).resolve())


@pytest.mark.parametrize("names", [("html",), ("html", "xlsx"), ()])
def test_a_page_leads_to_documents_that_are_there(tmp_path: Path, names: tuple[str, ...]) -> None:
    build(whole_run(tmp_path), reporters=catalog.chosen(names))
    pages = [tmp_path / "index.html", *(tmp_path / "ir").iterdir()]
    led = {target for page in pages for target in Links(page).found}
    kept = re.findall(r"ir/[\w.-]+\.html", texts(details(pages[0].read_text())))
    led |= {tmp_path / address for address in kept}
    assert len(led) >= 2 and [target for target in led if not target.exists()] == []
    workbooks = {tmp_path / "models.xlsx", tmp_path / "models_op_per_op.xlsx"}
    assert led & workbooks == (set() if names == ("html",) else workbooks)


ROOMS = {
    "html": ("html",),
    "xlsx": ("xlsx",),
    "markdown": ("markdown.py",),
    "json": ("ops_json.py",),
    "summary": ("summary.py",),
    "webhook": ("messages/slack.py",),
    "crcr": ("messages/crcr.py",),
    "feed": ("messages/atom.py",),
    "index": ("results_index.py",),
}
"""What each format writes with, besides its module in `formats`."""


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_imports_another(name: str) -> None:
    """What two need lies in `model` or `text`: who changes one need not know the others."""
    others = {Path(room).stem for other in ROOMS if other != name for room in ROOMS[other]}
    places = [ROOT / "reports" / room for room in (*ROOMS[name], f"formats/{name}.py")]
    modules = [m for p in places for m in (p.rglob("*.py") if p.is_dir() else [p])]
    nodes = [node for module in modules for node in ast.walk(ast.parse(module.read_text()))]
    imported = [
        f"{node.module}.{alias.name}".removeprefix("bringup.reports.").split(".")[0]
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert "model" in imported or "reporter" in imported
    assert others & set(imported) == set()


@pytest.mark.parametrize(
    ("name", "hint"),
    [("xslx", "; did you mean xlsx?"), ("HTML", "; did you mean html?"), ("pdf", ""), ("", "")],
)
def test_an_unknown_name_is_refused_with_those_there_are(name: str, hint: str) -> None:
    known = ", ".join(FORMATS)
    with pytest.raises(UsageError) as refused:
        catalog.chosen(["html", name])
    assert str(refused.value) == f"unknown format {name!r}; known are {known}{hint}"


def test_formats_write_in_one_order_however_they_are_asked_for() -> None:
    assert [r.NAME for r in catalog.chosen(["html", "xlsx", "html"])] == ["xlsx", "html"]
    unasked = [r.NAME for r in catalog.chosen([])]
    assert unasked == [name for name in FORMATS if name not in ("json", "webhook", "crcr")]
    assert [r.NAME for r in catalog.chosen(["crcr", "json"])] == ["json", "crcr"]


# --- a format of somebody else's -------------------------------------------------------------

CSV = """
from bringup.reports.reporter import Document, Written

NAME = "csv"
WRITES = {"tests.csv": "a line per test"}

def write(report):
    path = report.folder / "tests.csv"
    path.write_text("".join(f"{r.identity.key},{r.record.outcome}\\n" for r in report.run.results))
    return Written((Document("table", path),))
"""


def outside(folder: Path, text: str, *, entry_point: bool) -> dict[str, str]:
    """The environment in which a module of somebody else's is found."""
    (folder / "abacus_report.py").write_text(text)
    if entry_point:
        info = folder / "abacus-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: abacus\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[bringup.reporters]\nabacus = abacus_report\n")
    variable = {} if entry_point else {REPORTERS_VARIABLE: "abacus_report"}
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])} | variable


def reports(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bringup.reports", *map(str, words)],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def small_run(run_dir: Path) -> Path:
    return write_run(run_dir, [record(identity("t5")), record(identity("vit"), Outcome.FAILED)])


@pytest.mark.parametrize("entry_point", [True, False], ids=["entry point", "variable"])
def test_a_format_from_outside_is_listed_and_writes(tmp_path: Path, entry_point: bool) -> None:
    environment = outside(tmp_path, CSV, entry_point=entry_point)
    environment |= {REPORTERS_VARIABLE: "abacus_report"}  # twice the same is once
    run = small_run(tmp_path / "run")
    done = reports(environment, "build", run, "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert (run / "tests.csv").read_text().count("\n") == 2
    assert "tests.csv" in done.stdout and not (run / "index.html").exists()
    said = reports(environment, "build", "--help").stdout
    assert re.search(r"csv +tests\.csv +a line per test", said)


MODELS = """
from bringup.reports.reporter import Document, Written

class Names:
    NAME, WRITES = "names", {"names.txt": "models"}
    def write(self, report):
        return Written()
    def write_models(self, report):
        path = report.folder / "names.txt"
        path.write_text(" ".join(model.name for model in report.models))
        return Written((Document("names", path),))

REPORTERS = [Names()]
"""


def test_a_format_on_models_writes_of_a_run_and_of_all(tmp_path: Path) -> None:
    environment = outside(tmp_path, MODELS, entry_point=False)
    run_of(tmp_path / "results" / "night", {N150: [op_result()]})
    words = ("--results", tmp_path / "results", "--format", "names")
    assert reports(environment, "build", *words).returncode == 0
    assert (tmp_path / "results" / "night" / "names.txt").read_text() == "t5"
    (tmp_path / "results" / "names.txt").unlink()
    assert reports(environment, "ops", *words).returncode == 0
    assert (tmp_path / "results" / "names.txt").read_text() == "t5"
    refused = reports(environment, "ops", *words[:-1], "html,json")
    assert refused.returncode == 2
    assert "none of these formats has a document on models" in refused.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('broken')", "cannot be loaded: RuntimeError: broken"),
        ("raise SystemExit(0)", "cannot be loaded: SystemExit: 0"),
        ("import nowhere_at_all", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("x = 1", r"gives no Reporter: \w+ has no NAME"),
        ("REPORTERS = []", "gives no Reporter: its REPORTERS is empty"),
        ("NAME = 'a b'; WRITES = {}; write = print", "gives no Reporter: its NAME is 'a b'"),
        ("NAME = 'a'; WRITES = ['x']; write = print", "gives no Reporter: its WRITES is no table"),
        ("NAME = 'a'; WRITES = {}; write = 1", "gives no Reporter: its write is no function"),
        (MODELS.replace("[Names()]", "[Names]"), "Names is a class and no object of it"),
        (CSV.replace('"csv"', '"html"'), "there is a format called html already"),
        (CSV.replace("r.identity", "r.what"), r"AttributeError: .*'what' \(\w+.py:9\)"),
        (CSV.replace("return Written", "Written"), "TypeError: it gave NoneType and not Written"),
        (CSV.replace('Document("table", path)', "path"), "it gave .*Path.* where Document is"),
        (CSV.replace("path),))", "path),), (1,))"), "it gave 1 where str is wanted"),
        (CSV.replace("path = ", "import sys; sys.exit(5); path = "), "SystemExit: 5"),
        (CSV.replace("path = ", "write(report); path = "), "RecursionError: maximum recursion"),
    ],
)
def test_a_format_that_cannot_be_had_or_fails_costs_no_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    said: str,
) -> None:
    module = f"format_{abs(hash(text))}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(REPORTERS_VARIABLE, module)
    run = small_run(tmp_path / "run")
    assert main(["build", str(run)]) == 3
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("reports: format ") and re.search(said, line), line
    assert {"index.html", "models.xlsx"} <= files(run) and "needs attention: 1" in shown.out
    assert main(["build", str(run), "--format", "xlsx,html"]) == 0
    assert capsys.readouterr().err == "", "it was not asked for"
    with pytest.raises(SystemExit, match="0"):
        main(["build", "--help"])


@pytest.mark.parametrize("text", ["raise RuntimeError('broken')", "x = 1"])
def test_an_installed_format_that_cannot_be_had_costs_no_other(tmp_path: Path, text: str) -> None:
    environment = outside(tmp_path, text, entry_point=True)
    done = reports(environment, "build", run := small_run(tmp_path / "run"))
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("reports: format abacus: entry point abacus of bringup.reporters ")
    assert {"index.html", "models.xlsx"} <= files(run)
