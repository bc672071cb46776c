# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The wheel: it owns one name at the top of a user's path, and carries all that it needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        [
            "git",
            "ls-files",
            "-z",
            "bringup",
            "harness",
            "pipeline",
            "reports",
            "*.toml",
            "*.md",
            "LICENSE",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, tracked.stdout.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            (source / name).symlink_to((ROOT / name).readlink())
        elif (ROOT / name).is_file():
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(target), str(source)], check=True)
    (built,) = target.glob("bringup-*.whl")
    return built


def test_the_wheel_owns_one_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert sorted(top for top in tops if not top.endswith(".dist-info")) == ["bringup"]
    assert {name.split("/")[1] for name in names if name.startswith("bringup/")} == {
        *("__init__.py", "__main__.py", "py.typed", "command", "harness", "pipeline", "reports")
    }


def test_the_wheel_carries_its_licence_and_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as whole:
        (info,) = {name.split("/")[0] for name in whole.namelist() if ".dist-info/" in name}
        assert whole.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        metadata = whole.read(f"{info}/METADATA").decode()
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Classifier: Programming Language :: Python :: 3.13\n" in metadata


def test_what_is_read_beside_the_code_is_in_the_wheel(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    beside = {
        f"bringup/{path.relative_to(ROOT).as_posix()}"
        for house in ("harness", "pipeline", "reports")
        for path in (ROOT / house).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert len(beside) > 250 and beside - carried == set()


def test_the_installed_package_works_where_reports_is_somebody_elses(
    wheel: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    for name in ("reports", "pipeline", "harness"):
        (tmp_path / f"{name}.py").write_text("THEIRS = True\n")
    code = f"""
import sys
sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]
sys.path[:0] = [{str(tmp_path)!r}, {str(installed)!r}]
import harness, pipeline, reports
assert harness.THEIRS and pipeline.THEIRS and reports.THEIRS
import bringup
assert bringup.__file__.startswith({str(installed)!r})
from bringup import CompilerConfig, ModelTester
import torch

class Tester(ModelTester):
    def _load_model(self):
        return torch.nn.Linear(2, 2)
    def _load_inputs(self):
        return torch.ones(1, 2)

assert Tester("linear", "eval").test_model().shape == (1, 2)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
