# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One registry knows the devices: nobody else names one, and one more is two files."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.devices import catalog
from bringup.harness.devices.kind import Arithmetic, DeviceKind
from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Status

ROOT = Path(__file__).parents[4]
ROOMS_OF_DEVICES = ("harness/devices/kinds/", "harness/devices/backends/")
NAMES = re.compile(
    r"\b(?:[np](?:150|300)(?:-llmbox)?|tenstorrent|wormhole|blackhole|cuda\w*|nvidia|iree(?:-cpu)?"
    r"|ttir|ttnn|tt-\w+|pjrt-plugin\S*|libtt|jax-\w+-plugin)\b",
    re.IGNORECASE,
)
EXCEPTED = {
    "harness/records/variable_names.py": "the one place where a variable's name is written",
    "harness/config.py": "TT_TORCH_SAVE_MLIR and its values are tt-torch's, as its users set them",
    "harness/list_devices.py": "an example in a help text",
    "harness/files/places.py": "the bucket's folder, by the name that tt-forge-models gives it",
    "harness/peer/device_manager.py": "tt-torch's architectures, as its users' tests name them",
    "harness/peer/finder.py": "says which repository has the loaders",
    "harness/peer/names.py": "tt-torch's modules, and what is not had of them",
    "harness/peer/plugin.py": "says whose options they are",
    "harness/pytest_plugin.py": "an example in a help text",
    "harness/records/fingerprint.py": "dialects and wrappers, as compilers write diagnostics",
    "harness/records/machine_faults.py": "phrases by which libraries say that a card is gone",
    "harness/records/values.py": "tt-torch's names of the statuses",
    "harness/records/variable_values.py": "as harness/config.py",
    "harness/records/variables.py": "says whose shape a repository of loaders has",
    "harness/records/variables_of_others.py": "another program's variable",
    "harness/repro.py": "an example in a help text",
    "harness/frontend/exported_digest.py": "settings that torch has under that name",
    "harness/state/settings.py": "settings that torch has under that name",
    "pipeline/trying/from_python.py": "the devices on which `try` tries by default",
    "pipeline/verb_help.py": "examples in a help text",
    "reports/formats/json.py": "says whose field names the JSON files have",
    "reports/text/legend.py": "explains tt-torch's names of the statuses",
    "reports/model/texts.py": "the names of tt-torch's columns, and whose levels stand in them",
    "reports/ops_json.py": "tt-torch's field names",
    "reports/xlsx/ops_summary.py": "a heading that goes by the name of the status",
}


def modules() -> Iterator[str]:
    for room in ("harness", "pipeline", "reports"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(ROOMS_OF_DEVICES):
                yield name


def spoken(tree: ast.Module) -> Iterator[str]:
    """String constants but for docstrings, names, and what is imported."""
    documented = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in documented:
                yield node.value
        elif isinstance(node, ast.Name):
            yield node.id.replace("_", " ")
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module} {' '.join(alias.name for alias in node.names)}".replace("_", " ")
        elif isinstance(node, ast.Import):
            yield " ".join(alias.name for alias in node.names)


def named_in(module: str) -> set[str]:
    tree = ast.parse((ROOT / module).read_text())
    return {found.lower() for text in spoken(tree) for found in NAMES.findall(text)}


def test_no_module_outside_the_registry_and_the_backends_names_a_board_or_a_vendor() -> None:
    named = {module: found for module in modules() if (found := named_in(module))}
    assert {m: found for m, found in named.items() if m not in EXCEPTED} == {}
    assert EXCEPTED.keys() - named.keys() == set(), "an exception that nothing needs any more"


def test_every_kind_says_what_the_harness_asks() -> None:
    for name, kind in catalog.named_kinds().items():
        assert kind.name == name and kind.title and kind.arithmetic in Arithmetic
        statuses = [level.status for level in kind.levels]
        assert statuses == sorted(statuses)
        assert all(path.is_file() for path in kind.libraries())
        assert isinstance(kind.target(name), str)
    assert catalog.kind_of("n150").arithmetic is Arithmetic.BF16
    assert catalog.kind_of("cuda").products is Arithmetic.TF32
    assert [catalog.kind_of(n).arithmetic for n in ("cpu", "iree-cpu")] == [Arithmetic.F32] * 2


@pytest.mark.parametrize(
    ("levels", "status"),
    [
        ((), Status.NOT_STARTED),
        (("torch_ir", "stablehlo"), Status.NOT_STARTED),
        (("stablehlo", "ttir"), Status.CONVERTED_TO_TTIR),
        (("ttir", "ttnn"), Status.CONVERTED_TO_TTNN),
        (("hlo_optimized",), Status.CONVERTED_TO_TTIR),
        (("input", "flow"), Status.CONVERTED_TO_TTIR),
        (("input", "flow", "stream", "vm"), Status.CONVERTED_TO_TTNN),
    ],
)
def test_a_level_stands_for_a_status(levels: tuple[str, ...], status: Status) -> None:
    assert catalog.reached_by(levels) is status


def test_only_a_device_of_another_compiler_can_judge_one() -> None:
    cpu = catalog.kind_of("cpu")
    kinds = catalog.kinds_listed()
    independent = {n for n, k in kinds.items() if k.independent_of(cpu)}
    assert independent >= {"iree-cpu", "n150", "n300", "n300-llmbox", "p150", "mi300x"}
    assert {kinds[n].compiler for n in independent} == {"iree", "tt-mlir"}
    assert not catalog.kind_of("pjrt:whatever").independent_of(cpu), "nobody knows its compiler"
    assert catalog.kind_of("pjrt:libtt").independent_of(cpu), "the boards' plugin by another name"


def test_devices_behind_one_card_share_its_lease() -> None:
    assert catalog.kind_of("n150").lease == catalog.kind_of("p150").lease == "tenstorrent"
    assert catalog.kind_of("pjrt:libtt").lease == "tenstorrent"
    assert catalog.kind_of("pjrt:xla_cuda13").lease == "cuda"
    assert catalog.kind_of("pjrt:other").lease == ""


# --- a kind of somebody else's ---------------------------------------------------------------

BACKEND = """
from bringup.harness.devices.backends.pjrt import PjrtBackend

class Backend(PjrtBackend):
    pass
"""
KIND = """
from bringup.harness.devices.kind import DeviceKind, IrLevel
from bringup.harness.records.schema import Status

def backend(name):
    from abacus_backend import Backend
    return Backend()

KINDS = (DeviceKind(name="abacus", title="An abacus", backend=backend, exclusive=lambda: False,
                    levels=({levels}), environment=("ABACUS_*",)),)
"""
ADD = """
import torch
from bringup.harness.device_host.client import Device
from bringup.harness.device_host.probe import probe_job
run = Device("abacus").run_op(probe_job(executes=True))
print(run.outputs[0].tolist())
"""


def outside(folder: Path, *, entry_point: bool, levels: str = "") -> dict[str, str]:
    """A package of somebody else's: a module with a kind, one with its backend."""
    (folder / "abacus_backend.py").write_text(BACKEND)
    (folder / "abacus_kind.py").write_text(KIND.format(levels=levels))
    if entry_point:
        info = folder / "abacus-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: abacus\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[bringup.devices]\nabacus = abacus_kind\n")
    variable = {} if entry_point else {catalog.KINDS_VARIABLE: "abacus_kind"}
    path = os.pathsep.join([str(folder), str(ROOT)])
    return os.environ | {"PYTHONPATH": path} | variable


def python(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("entry_point", [True, False], ids=["entry point", "variable"])
def test_a_kind_from_outside_is_listed_and_runs_in_its_host(
    tmp_path: Path, entry_point: bool
) -> None:
    environment = outside(tmp_path, entry_point=entry_point)
    done = python(ADD, environment)
    assert done.stdout.strip() == "[3.0, 3.0, 3.0, 3.0]", done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "bringup.harness.list_devices", "abacus"],
        env=environment | {catalog.KINDS_VARIABLE: "abacus_kind"},  # twice the same is once
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "An abacus" in listed.stdout and "executes" in listed.stdout


def test_a_level_that_means_something_else_elsewhere_is_refused(tmp_path: Path) -> None:
    levels = 'IrLevel("ttir", Status.EXECUTED),'
    environment = outside(tmp_path, entry_point=False, levels=levels)
    done = python(
        "from bringup.harness.devices.catalog import reached_by; reached_by(['x'])", environment
    )
    assert (
        "UsageError: the device abacus has a level `ttir` that stands for EXECUTED" in done.stderr
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('broken')", "cannot be imported: broken"),
        ("KINDS = (1,)", "gives no DeviceKind, but module"),
        ("", "gives no DeviceKind, but module"),
        (
            KIND.format(levels="").replace('"abacus"', '"cpu"'),
            "there is a device called cpu already",
        ),
    ],
)
def test_a_kind_that_cannot_be_had_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    name = f"kind_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(catalog.KINDS_VARIABLE, "")
    with pytest.raises(UsageError, match=said):
        catalog.register(name)
    assert isinstance(catalog.kind_of("cpu"), DeviceKind), "the others are still there"


def test_a_broken_entry_point_costs_no_other_device(tmp_path: Path) -> None:
    environment = outside(tmp_path, entry_point=True)
    (tmp_path / "abacus_kind.py").write_text("raise RuntimeError('broken')")
    names = "from bringup.harness.devices.catalog import installed_names; print(installed_names())"
    done = python(names, environment)
    assert "'cpu'" in done.stdout and "abacus" not in done.stdout
    assert done.stderr.strip() == ("the device kind abacus cannot be loaded: RuntimeError: broken")
