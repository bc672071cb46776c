# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Environment variables: one table, looked at once when a command starts, nonsense named."""

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.config import CompileDepth, CompilerConfig, Setting
from bringup.harness.errors import UsageError
from bringup.harness.files.download import Terms
from bringup.harness.records import variable_names
from bringup.harness.records.environment import check, of_a_test
from bringup.harness.records.variable_names import (
    FILE_LIMIT_VARIABLE,
    FILE_TIMEOUT_VARIABLE,
    PLUGIN_PREFIX,
)
from bringup.harness.records.variable_values import DEPTHS
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.variables_of_others import PREFIXED

ROOT = Path(__file__).parents[4]
READS = ("get", "setdefault", "pop", "__getitem__")
WHOLE = {
    "harness/records/variables.py",  # the table itself
    "harness/records/environment.py",  # looks at all of it
    "harness/config.py",  # by its settings, which another test looks at
    "harness/devices/backends/pjrt.py",  # by the prefix of plugins
    "harness/reduce/model_reproducer.py",  # by the table
    "harness/reduce/run_model.py",  # puts back what it has set
    "harness/state/settings.py",  # puts back what a test has set
    "pipeline/running/worker.py",  # likewise
}
"""Modules that take variables by names which no reader of the source sees."""


def reads(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Where a module reads the environment, and by what expression for the name."""
    for node in ast.walk(ast.parse(path.read_text())):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Subscript) and is_environ(node.value):
            if not isinstance(node.ctx, ast.Store):
                yield where, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if (is_environ(node.func.value) and node.func.attr in READS) or ast.unparse(
                node.func
            ) == "os.getenv":
                yield where, node.args[0]
        elif isinstance(node, ast.Compare) and any(map(is_environ, node.comparators)):
            yield where, node.left


def module_of(name: str) -> str:
    dotted = name.removesuffix(".py").replace("/", ".")
    return dotted if dotted.startswith("tests.") else f"bringup.{dotted}"


def is_environ(node: ast.expr) -> bool:
    return ast.unparse(node) in ("os.environ", "environ")


def test_no_variable_is_read_that_is_not_in_the_table() -> None:
    found, wrong = 0, []
    for room in ("harness", "pipeline", "reports", "tests/models"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            for where, expression in reads(path) if name not in WHOLE else ():
                module = importlib.import_module(module_of(name))
                try:
                    variable = eval(ast.unparse(expression), vars(module))
                except NameError:
                    wrong.append(f"{where} reads a variable by {ast.unparse(expression)}")
                    continue
                found += 1
                if variable not in VARIABLES:
                    wrong.append(f"{where} reads {variable}")
    assert found > 10 and not wrong, wrong


def test_no_name_like_ours_is_written_that_is_not_in_the_table() -> None:
    names = re.compile(r"\b(?:BRINGUP_|TT_TORCH_|RTI_PCC_|RUN_GLOBAL_OP_)[A-Z_]*[A-Z]\b")
    files = [ROOT / "noxfile.py", *ROOT.glob("*.md"), *ROOT.glob(".github/workflows/*")]
    files += (ROOT / "docs").rglob("*.md")
    for room in ("harness", "pipeline", "reports"):
        files += (ROOT / room).rglob("*.py")
    found = {name for path in files for name in names.findall(path.read_text())}
    known = {name for name in found if not name.startswith(PLUGIN_PREFIX)}
    assert len(known) > 30 and known <= VARIABLES.keys(), known - VARIABLES.keys()


def test_the_name_of_a_variable_is_written_in_one_place() -> None:
    """Whoever sets or reads one imports its name; prose in a sentence may say it."""
    wrong = []
    for room in ("harness", "pipeline", "reports"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.name == "variable_names.py":
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and node.value in VARIABLES:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.value}")
    assert not wrong, wrong
    named = {text for name, text in vars(variable_names).items() if name.endswith("_VARIABLE")}
    assert named == VARIABLES.keys()


def test_who_reads_a_variable_does() -> None:
    constants = {text: name for name, text in vars(variable_names).items() if name.isupper()}
    for variable in (*VARIABLES.values(), *PREFIXED):
        if variable.read_by == "others":
            continue
        place = ROOT / variable.read_by
        assert place.exists(), variable.name
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        texts = "".join(path.read_text() for path in files)
        assert constants[variable.name] in texts or variable.name in texts, variable.name


def test_a_default_is_a_value_and_what_the_code_takes() -> None:
    for variable in VARIABLES.values():
        if variable.default:
            assert variable.value(variable.default) == variable.read({}), variable.name
        assert not (variable.default and variable.otherwise)
    for setting in vars(CompilerConfig).values():
        if isinstance(setting, Setting):
            text = VARIABLES[setting.variable].default
            assert (setting.parse(text) if text else setting.default) == setting.default
            assert bool(text) == (setting.default not in (None, "", ())), setting.variable
    assert Terms().limit == VARIABLES[FILE_LIMIT_VARIABLE].read({}) * 2**30
    assert Terms().timeout_s == VARIABLES[FILE_TIMEOUT_VARIABLE].read({})


def test_every_setting_is_in_the_table_and_reads_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tuple(depth.name for depth in CompileDepth) == DEPTHS
    settings = [s for s in vars(CompilerConfig).values() if isinstance(s, Setting)]
    of_tests = {v.name for v in VARIABLES.values() if v.of_tests}
    assert {s.variable for s in settings} == of_tests - {"BRINGUP_SWEEP_LIMIT"}  # a sweep
    texts = ["", "1", "0", "yes", "TTNN_IR", "0.5", "-1", "nan", "inf", "1e999", "9" * 5000, "²"]
    for setting in settings:
        for text in [*texts, "STABLEHLO,TTIR", "debug", "\udc80", "x" * 10_000]:
            try:
                setting.parse(text.strip())
                ours = True
            except (ValueError, KeyError):
                ours = False
            try:
                VARIABLES[setting.variable].value(text)
                table = True
            except UsageError:
                table = False
            assert ours == table, (setting.variable, text[:20])


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("BRINGUP_RECHEK", "2%", "there is no variable BRINGUP_RECHEK; did you mean BRINGUP_RECH"),
        ("BRINGUP_XYZ", "", "there is no variable BRINGUP_XYZ"),
        ("TT_TORCH_COMPILE_DEPHT", "TTNN_IR", "did you mean TT_TORCH_COMPILE_DEPTH?"),
        ("RUN_GLOBAL_OP_INDX", "3", "did you mean RUN_GLOBAL_OP_IDX?"),
        ("BRINGUP_ATTEMPT", "many", "BRINGUP_ATTEMPT='many': expected an attempt"),
        ("BRINGUP_ATTEMPT", "9" * 5000, "expected an attempt, a whole number"),
        ("BRINGUP_TEST_DEADLINE", "nan", "expected a time"),
        ("BRINGUP_OP_WORKERS", "0", "expected op workers, from 1 to 1024"),
        ("BRINGUP_OP_DEADLINE", "-3", "expected seconds, more than 0"),
        ("BRINGUP_REDUCE_SECONDS", "inf", "expected seconds"),
        ("BRINGUP_RECHECK", "200%", "expected a share"),
        ("BRINGUP_CACHE_GIB", "much", "expected a number of GiB"),
        ("BRINGUP_NO_CACHE", "maybe", "expected 1 or 0, true or false"),
        ("BRINGUP_SIZE", "tinny", "expected one of base, tiny; did you mean tiny?"),
        ("BRINGUP_DEVICE", "--help", "expected a name"),
        ("BRINGUP_CACHE", "x" * 9000, "expected a path"),
        ("BRINGUP_DEVICE", "cpu,n150", "expected the name of one device"),
        ("BRINGUP_WORKERS", "0", "expected a number of tests, from 1 to 1024"),
        ("BRINGUP_TIMEOUT", "-1", "expected seconds, more than 0"),
        ("BRINGUP_NO_CACHE", "maybe", "expected 1 or 0, true or false"),
        ("TT_TORCH_COMPILE_DEPTH", "EXECUT", "did you mean EXECUTE?"),
        ("RUN_GLOBAL_OP_IDX", "1.5", "expected an op's index"),
        ("PYTEST_XDIST_WORKER_COUNT", "two", "expected a number of workers"),
    ],
)
def test_nonsense_is_named(name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)) as refused:
        check({name: text})
    assert len(str(refused.value)) < 300


def test_another_programs_variables_are_left_alone() -> None:
    environment = {"TT_TORCH_HOME": "/opt", "TT_METAL_HOME": "x", "XLA_FLAGS": "--y", "A": "\udc80"}
    before = dict(environment)
    check(environment)
    assert environment == before


def test_paths_mean_the_same_wherever_a_test_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = ("BRINGUP_CACHE", "BRINGUP_RUN_DIR", f"{PLUGIN_PREFIX}X")
    environment = dict.fromkeys(paths, "here") | {"BRINGUP_FAULTS": ""}
    check(environment)
    assert environment == dict.fromkeys(paths, str(tmp_path / "here")) | {"BRINGUP_FAULTS": ""}


def test_a_plan_sets_settings_of_tests_only() -> None:
    assert of_a_test({"TT_TORCH_COMPILE_DEPTH": "TTNN_IR"}, "x") == {
        "TT_TORCH_COMPILE_DEPTH": "TTNN_IR"
    }
    for name in ("LD_PRELOAD", "PYTHONPATH", "BRINGUP_FAULTS", f"{PLUGIN_PREFIX}X"):
        with pytest.raises(UsageError, match="no test needs"):
            of_a_test({name: "x"}, "the plan")


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "bringup.pipeline", "lists"),
        ("-m", "bringup.reports", "build", "nowhere"),
        ("-m", "bringup.harness.repro", "abc"),
        ("-m", "bringup.harness.list_devices", "cpu"),
        ("-m", "bringup.harness.help_env", "rechek", "--json"),
        ("-m", "pytest", "-q", "-p", "no:cacheprovider", "nowhere"),
    ],
    ids=lambda command: command[1],
)
def test_every_command_looks_before_it_does_anything(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "BRINGUP_RECHEK": "2%"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (2, 4), done.stdout + done.stderr
    said = done.stderr.strip()
    assert "there is no variable BRINGUP_RECHEK; did you mean BRINGUP_RECHECK?" in said
    assert "\n" not in said and "Traceback" not in done.stdout + said
