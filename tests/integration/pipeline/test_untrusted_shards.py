# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A stranger's shard brings data: nothing in it is run, whichever way it asks for that.

Each attack is made for real; a canary file says whether its code ran.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import onnx
import pytest

from bringup.harness.records.checkout import refuse_foreign_test
from bringup.harness.records.reproducible import RUN_ANY
from bringup.harness.records.run_dir import write_plan
from bringup.harness.records.schema import (
    Failure,
    Identity,
    Outcome,
    Plan,
    PlannedTest,
    Stage,
    Status,
)
from bringup.harness.reduce.model_reproducer import ModelExpected
from bringup.harness.repro import main as repro
from bringup.harness.reproduce.reproducer import read_expected
from bringup.pipeline.results.merge import finish, merge
from tests.integration.made_reproducers import RELU, placeholder, write

ROOT = Path(__file__).parents[3]
CANARY = "from pathlib import Path\nPath({!r}).write_text('ran')\n"
OURS = "tests/models/mine/test_mine.py::test_mine[full-eval-cpu]"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one test of its own, and a stranger's shard, merged, in `results`."""
    root = tmp_path / "checkout"
    for place in ("tests/models/mine", "results/night/repro", "results/night/journal", "shard"):
        (root / place).mkdir(parents=True)
    (root / "shard" / "plan.json").write_text("{}")
    (root / "tests/models/mine/test_mine.py").write_text("def test_mine(): pass\n")
    monkeypatch.chdir(root)
    return root


def evil_test(path: Path, canary: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CANARY.format(str(canary)) + "def test_x(): pass\n")
    return path


def model(checkout: Path, nodeid: str, **environment: str) -> Path:
    folder = checkout / "results/night/repro/x"
    folder.mkdir(exist_ok=True)
    expected = ModelExpected(
        model=Identity("x", device="cpu"),
        nodeid=nodeid,
        status=Status.CREATED_GRAPH,
        outcome=Outcome.FAILED,
        fingerprint="f",
        failure=Failure(Stage.COMPILE, "X", "x"),
        environment=environment,
    )
    (folder / "expected.json").write_bytes(msgspec.json.encode(expected))
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert repro([str(a) for a in arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


# --- tests ----------------------------------------------------------------------------------


FOREIGN = [
    "results/night/evil/test_x.py::test_x",
    "shard/test_x.py::test_x",
    "shard/deep/er/test_x.py::test_x",
    "elsewhere/test_x.py::test_x",
    "tests/../elsewhere/test_x.py::test_x",
    "tests/models/run/test_x.py::test_x",
    "tests/models/linked/test_x.py::test_x",
    "tests/models/mine/test_link.py::test_x",
    "./elsewhere/test_x.py::test_x",
    "../outside/test_x.py::test_x",
    "{outside}/test_x.py::test_x",
    "~/test_x.py::test_x",
    "elsewhere/test_x.py[::x]::test_x",
]


@pytest.mark.parametrize("nodeid", FOREIGN)
def test_a_test_that_the_shard_brought_is_not_imported(
    checkout: Path, capsys: pytest.CaptureFixture[str], nodeid: str
) -> None:
    canary, outside = checkout / "canary", checkout.parent / "outside"
    for folder in (
        *("results/night/evil", "shard", "shard/deep/er", "elsewhere", "tests/models/run"),
        *("../outside", "real"),
    ):
        evil_test(checkout / folder / "test_x.py", canary)
        evil_test(checkout / folder / "conftest.py", canary)
    (checkout / "tests/models/run/journal").mkdir()
    (checkout / "tests/models/linked").symlink_to(checkout / "real")
    (checkout / "tests/models/mine/test_link.py").symlink_to(checkout / "real/test_x.py")
    folder = model(checkout, nodeid.replace("{outside}", str(outside)))
    assert "is not of this checkout" in refused(capsys, folder, "--seconds", 1)
    assert not canary.exists()


@pytest.mark.parametrize(
    "nodeid",
    [
        *("-p", "-pevil::x", "-p=evil/test_x.py::x", "--rootdir=shard::x", "-cshard/x.ini::x"),
        *("@file", "@shard/args::x", "--import-mode=importlib::x", "-o", "", "::", "::x"),
        *("tests/models/mine/test_mine.py", "tests/models/mine::x", "tests/models/mine/::x"),
        *("tests/models/mine/test_mine.py\0::x", "tests/models/mine/test_mine.py\n::x", "\udc80"),
        *("tests/models/mine/conftest.py::x", "tests::x", "." * 5000 + "::x", "[::x]"),
        *("tests/models/mine/test_none.py::x", "C:/x/test_x.py::x"),
    ],
)
def test_no_id_is_an_option_or_a_file_of_options(checkout: Path, nodeid: str) -> None:
    from bringup.harness.errors import UsageError

    with pytest.raises(UsageError, match="is not of this checkout"):
        refuse_foreign_test(nodeid, checkout, "x")


def test_a_test_of_this_checkout_is_taken(checkout: Path) -> None:
    refuse_foreign_test(OURS, checkout, "x")
    refuse_foreign_test("tests/unit/harness/ops/test_fx_targets.py::test_x[a::b/../c]", ROOT, "x")


def test_trust_runs_it_and_says_so_aloud(checkout: Path) -> None:
    """What the refusals above keep from running does run once somebody says so."""
    canary = checkout / "canary"
    evil_test(checkout / "results/night/evil/test_x.py", canary)
    folder = model(checkout, FOREIGN[0], BRINGUP_TEST_MARK="x")
    done = subprocess.run(
        [sys.executable, "-m", "bringup.harness.repro", str(folder), "--trust"],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and canary.exists()
    assert done.stderr.startswith("--trust: the reproducer may run any code, with your rights")
    assert "does not come as far as its model" in done.stderr


# --- variables ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME"),
        *("PYTEST_PLUGINS", "PYTEST_ADDOPTS", "BASH_ENV", "ENV", "TMPDIR", "HOME", "XLA_FLAGS"),
        *("BRINGUP_PJRT_PLUGIN_EVIL", "BRINGUP_FAULTS", "BRINGUP_RUN_DIR", "BRINGUP_CACHE"),
        *("TT_TORCH_NO_SUCH", "tt_torch_consteval", "GIT_SSH_COMMAND", "", "A=B"),
    ],
)
def test_only_settings_of_tests_are_set(
    checkout: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = model(checkout, OURS)
    raw = msgspec.json.decode((folder / "expected.json").read_bytes())
    raw["environment"] = {name.encode("utf-8", "replace").decode(): "/tmp/evil.so"}
    (folder / "expected.json").write_bytes(msgspec.json.encode(raw))
    assert "which no test needs" in refused(capsys, folder)
    assert name not in os.environ or os.environ[name] != "/tmp/evil.so"


def test_a_setting_with_a_value_that_makes_no_sense_is_refused(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = model(checkout, OURS, TT_TORCH_COMPILE_DEPTH="$(touch canary)")
    assert "TT_TORCH_COMPILE_DEPTH='$(touch canary)': expected one of" in refused(capsys, folder)


# --- ops ------------------------------------------------------------------------------------


def an_op(checkout: Path, **parts: object) -> Path:
    """A reproducer of an op; `options` and the like are written into its record afterwards."""
    changes = {k: parts.pop(k) for k in ("options", "device", "deadline_s") if k in parts}
    verdict = placeholder("aten.x", "cpu", Outcome.FAILED)
    folder = write(checkout / "results/night", verdict, **parts)  # type: ignore[arg-type]
    raw = msgspec.json.decode((folder / "expected.json").read_bytes()) | changes
    (folder / "expected.json").write_bytes(msgspec.json.encode(raw))
    return folder


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"torch_ir": RELU, "options": {"xla_dump_to": "/tmp/x"}}, "the compiler's option"),
        ({"torch_ir": RELU, "options": {"optimization_level": "9 --x"}}, "the compiler's option"),
        ({"torch_ir": RELU + "// xla_ffi_python_cpu_callback"}, "calls back into Python"),
        ({"torch_ir": RELU + r'// "xla_\70ython_cpu_callback"'}, "calls back into Python"),
        ({"torch_ir": RELU, "device": "cpu,n150"}, "unknown device"),
        ({"torch_ir": RELU, "device": "-p"}, "unknown device"),
        ({"torch_ir": RELU, "deadline_s": 1e300}, "it cannot be run"),
        ({"torch_ir": RELU, "deadline_s": -1}, "it cannot be run"),
    ],
)
def test_an_op_reaches_nothing_but_its_device(
    checkout: Path, capsys: pytest.CaptureFixture[str], parts: dict[str, object], sentence: str
) -> None:
    assert sentence in refused(capsys, an_op(checkout, **parts))


def test_an_onnx_model_takes_no_other_files(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "secret").write_bytes(b"\x00" * 16)
    weight = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=1)
    weight.external_data.add(key="location", value="../../../../secret")
    x, y = (onnx.helper.make_tensor_value_info(n, 1, [4]) for n in "xy")
    add = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    hidden = onnx.helper.make_graph([add], "g", [x], [y], [weight])
    branch = onnx.helper.make_node("If", ["c"], ["y"], then_branch=hidden, else_branch=hidden)
    for graph in (hidden, onnx.helper.make_graph([branch], "g", [x], [y])):
        folder = an_op(checkout)
        (folder / "part.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
        assert "takes weights from other files" in refused(capsys, folder)


def test_what_lies_beside_run_py_is_not_imported(checkout: Path) -> None:
    folder, canary = an_op(checkout), checkout / "canary"
    for name in ("pathlib", "harness", "msgspec", "torch", "sitecustomize", "argparse"):
        (folder / f"{name}.py").write_text(CANARY.format(str(canary)))
    done = subprocess.run(
        [sys.executable, str(folder / "run.py")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not canary.exists() and "there is nothing to run" in done.stderr


# --- merging and resuming -------------------------------------------------------------------


def test_a_merge_takes_no_programs(tmp_path: Path) -> None:
    shard, canary = tmp_path / "shard", tmp_path / "canary"
    test = PlannedTest(Identity("x", device="cpu"), OURS)
    shard.mkdir()
    write_plan(shard, Plan(run_id="r", created=1.0, session="run", tests=(test,), total=1))
    folder = write(shard, placeholder("aten.x", "cpu", Outcome.FAILED), torch_ir=RELU)
    for name in ("run.py", "harness.py", "conftest.py", "test_x.py", "x.so", "__init__.py"):
        (folder / name).write_text(CANARY.format(str(canary)))
    merge([shard], tmp_path / "all")
    merged = tmp_path / "all" / "repro" / folder.name
    assert read_expected(merged) == read_expected(folder)
    assert not {p.name for p in merged.iterdir()} & {"harness.py", "conftest.py", "x.so"}
    assert "Path(" not in (merged / "run.py").read_text()
    subprocess.run([sys.executable, str(merged / "run.py"), "--help"], check=False, timeout=60)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("folder", "nodeid", "environment", "sentence"),
    [
        (
            "results/run/evil",
            "results/run/evil/test_x.py::test_x[full-eval-cpu]",
            {},
            "say so with",
        ),
        ("../outside", "../outside/test_x.py::test_x[full-eval-cpu]", {}, "say so with --tests"),
        ("tests/models", "results/run/evil/test_x.py::test_mine[full-eval-cpu]", {}, "otherwise"),
        ("tests/models", "-pevil::test_mine[full-eval-cpu]", {}, "runs mine[full-eval]@cpu other"),
        ("tests/models", OURS, {"LD_PRELOAD": "/tmp/evil.so"}, "otherwise than it is chosen now"),
        ("tests/models", OURS, {"TT_TORCH_COMPILE_DEPTH": "TORCH_FX"}, "otherwise than it is"),
    ],
)
def test_a_plan_that_is_taken_up_runs_what_is_chosen_here(
    checkout: Path, folder: str, nodeid: str, environment: dict[str, str], sentence: str
) -> None:
    canary, run_dir = checkout / "canary", checkout / "results/run"
    evil_test(run_dir / "evil/test_x.py", canary)
    evil_test(checkout.parent / "outside/test_x.py", canary)
    mark = "import pytest\n@pytest.mark.parametrize('x', ['full-eval'])\n"
    (checkout / "tests/models/mine/test_mine.py").write_text(mark + "def test_mine(x): pass\n")
    (checkout / "devices.json").write_text('[{"name": "cpu", "state": "executes"}]')
    name = nodeid.rpartition("test_")[2].partition("[")[0]
    chosen = {"devices": ("cpu",), "models": (name,), "ids": (), "size": ("base",)}
    chosen |= {"split": ("torch",), "lists": ("tests/lists",), "tests": (folder,)}
    test = PlannedTest(Identity(name, device="cpu"), nodeid, environment=environment)
    plan = Plan(run_id="r", created=1.0, session="run", tests=(test,), total=1, chosen=chosen)
    write_plan(run_dir, plan)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bringup.pipeline", "run", "--resume", "results/run"),
            *("--devices-from", "devices.json"),
        ],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not canary.exists()


def test_a_program_that_a_strangers_run_brought_is_ours_once_it_is_merged_in_place(
    checkout: Path,
) -> None:
    canary, run = checkout / "canary", checkout / "results/night"
    folder = write(run, placeholder("aten.relu", "cpu", Outcome.FAILED), torch_ir=RELU)
    ours = (folder / "run.py").read_bytes()
    evil = run / "repro" / "evil"
    evil.mkdir()
    (evil / "run.py").write_text(CANARY.format(str(canary)))
    (run / "repro" / "cut").mkdir()
    (run / "repro" / "cut" / "run.py").write_bytes(ours + CANARY.format(str(canary)).encode())
    write_plan(run, Plan(run_id="n", created=0.0, session="nightly"))
    finish(run)
    assert (folder / "run.py").read_bytes() == ours
    assert (evil / "run.py").read_text() == RUN_ANY == (run / "repro/cut/run.py").read_text()
    assert not canary.exists()
