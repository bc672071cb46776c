# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A repository of loaders, named on the command line, runs with no line written."""

import sys
from pathlib import Path

import pytest

from bringup.harness.records.schema import Outcome, Stage, TestRecord
from tests.integration.made_loaders import BAD, GOOD, OTHERS, make_loaders
from tests.integration.pytest_runs import Done, run_command

BROKEN = {
    "broken": "ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
    "dies": "importing it ends the process with exit code 7",
    "wrong": "SyntaxError",
    "empty": "has no class ModelLoader",
    "raises": "<script>alert(1)</script> no weights here",
}
HANGS = "hangs/pytorch/loader.py"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("elsewhere")
    made = {name: text for name, text in (GOOD | BAD | OTHERS).items() if name != HANGS}
    root = make_loaders(folder / "my models", {n: t for n, t in made.items() if "[" not in n})
    project = folder / "project"
    project.mkdir()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={project}",
    ]
    chosen = "full and float32 and (eval or nested)"
    words = [*command, "--models", "../my models", "my models", "-k", chosen]
    run = folder / "run"
    return run_command(run, project, words, BRINGUP_CACHE=str(folder / "cache"), PWD=str(root))


def named(done: Done) -> dict[str, TestRecord]:
    return {key.partition("@")[0]: record for key, record in done.records.items()}


def test_every_shape_runs_to_its_end(done: Done) -> None:
    wrong = {f"{name}[full-float32-eval]" for name in BROKEN}
    found = {name: record.outcome for name, record in named(done).items()}
    good = {name: outcome for name, outcome in found.items() if name not in wrong}
    assert len(good) == 20 and set(good.values()) == {Outcome.PASSED}, done.output
    assert "nested[full-float32-train]" in good
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, Outcome.FAILED)


def test_phases_and_divided_weights_are_tests_where_a_loader_has_them(done: Done) -> None:
    shapes = {"": (1,), "prefill-": (1, 128), "decode-": (1, 1), "tensor_parallel-": (1,)}
    for word, shape in shapes.items():
        record = named(done)[f"ways[full-{word}float32-eval]"]
        assert record.outputs[0].shape == (*shape, 4)
    (compiled,) = (s for s in record.stages if s.stage is Stage.COMPILE)
    assert compiled.attributes["split"] == "fc.weight, fc.bias"
    assert "ways[full-tensor_parallel-float32-train]" not in done.output


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_cannot_be_imported_is_a_red_record(done: Done, name: str) -> None:
    failure = named(done)[f"{name}[full-float32-eval]"].failure
    assert failure is not None and BROKEN[name] in failure.message


def test_ids_do_not_depend_on_where_the_repository_lies(done: Done) -> None:
    record = named(done)["bert_masked_lm[full-small-float32-eval]"]
    file = "my models/bert/masked_lm/pytorch/loader.py"
    assert record.nodeid == f"{file}::test_bert_masked_lm[full-small-float32-eval]"
    assert record.model_group == "red"


def test_the_pipeline_runs_what_is_named_with_what_the_repository_expects(tmp_path: Path) -> None:
    files = {name: GOOD[name] for name in ("flat/pytorch/loader.py", "flatter/loader.py")}
    root = make_loaders(tmp_path / "models", files | {"raises/pytorch/loader.py": BAD[RAISES]})
    (root / "test_config").mkdir()
    entries = {"raises/pytorch": "KNOWN_FAILURE_XFAIL", "flatter": "NOT_SUPPORTED_SKIP"}
    said = "".join(f"  {n}-single_device-inference: {{status: {s}}}\n" for n, s in entries.items())
    (root / "test_config" / "test_config_x.yaml").write_text(f"test_config:\n{said}")
    words = ["run", "--models", "models", "--flow", "full", "--mode", "eval", "--history", "none"]
    command = [sys.executable, "-m", "bringup.pipeline", *words, "--variant", "float32"]
    command += ["--device", "cpu", "--output", str(tmp_path / "run")]
    done = run_command(tmp_path / "unused", tmp_path, command)
    assert done.code == 0, done.output
    assert "3 of 3 tests did what was promised (" in done.output
    assert "expected failure: raises[full-float32-eval]@cpu" in done.output


RAISES = "raises/pytorch/loader.py"
