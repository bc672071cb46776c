# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests are collected again when something that they are made of has changed, and not else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bringup.harness.records.schema import Identity
from bringup.pipeline.planning import collect
from bringup.pipeline.planning.collect import collect_tests
from bringup.pipeline.planning.collected_json import CollectedJson
from bringup.pipeline.planning.collection_cache import CollectionCache


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BRINGUP_MODELS", raising=False)
    project = tmp_path / "project"
    (project / "models" / "data").mkdir(parents=True)
    (project / "models" / "test_a.py").write_text("def test_a(): pass\n")
    (project / "models" / "data" / "variants.yaml").write_text("- base\n")
    (project / "shared.py").write_text("SIZES = (1, 2)\n")
    return project


def found(root: Path, **more: dict[str, str]) -> CollectedJson:
    ids, what = ["models/test_a.py::test_a"], [Identity(model="a", device="")]
    return CollectedJson(ids, what, made_of=[str(root / "shared.py")], **more)


def test_what_was_collected_is_taken_again(root: Path) -> None:
    assert CollectionCache("models", root).get() is None
    CollectionCache("models", root).put(found(root))
    assert CollectionCache("models", root).get() == found(root)
    assert CollectionCache("models/data", root).get() is None


def _write(path: str, text: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    return lambda root, monkeypatch: [(root / path).write_text(text), None][1]


@pytest.mark.parametrize(
    "change",
    [
        _write("models/test_a.py", "def test_b(): pass\n"),
        _write("models/test_b.py", "def test_b(): pass\n"),
        _write("models/data/variants.yaml", "- large\n"),
        _write("shared.py", "SIZES = (1, 2, 3)\n"),
        _write("conftest.py", "collect_ignore = ['models']\n"),
        _write("pyproject.toml", "[tool.pytest.ini_options]\n"),
        lambda root, monkeypatch: (root / "shared.py").unlink(),
        lambda root, monkeypatch: (root / "models/data/variants.yaml").unlink(),
        lambda root, monkeypatch: monkeypatch.setenv("A_VARIABLE_OF_THE_TESTS", "1"),
        lambda root, monkeypatch: monkeypatch.setenv("BRINGUP_SIZE", "tiny"),
        lambda root, monkeypatch: monkeypatch.setenv("BRINGUP_MODELS", str(root)),
        lambda root, monkeypatch: monkeypatch.syspath_prepend(str(root / "elsewhere")),
        lambda root, monkeypatch: (root / "models" / "again").symlink_to(root / "models"),
    ],
    ids=[
        *("file", "new", "data", "module", "conftest", "settings", "lost module", "lost data"),
        *("variable", "size", "loaders", "path", "link"),
    ],
)
def test_whatever_changes_it_is_collected_again(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    CollectionCache("models", root).put(found(root))
    change(root, monkeypatch)
    assert CollectionCache("models", root).get() is None


def test_what_could_not_be_collected_whole_is_asked_again(root: Path) -> None:
    CollectionCache("models", root).put(found(root, broken={"models/test_b.py": "SyntaxError"}))
    assert CollectionCache("models", root).get() is None


def test_a_damaged_entry_is_none(root: Path) -> None:
    CollectionCache("models", root).put(found(root))
    (entry,) = (path for path in (root.parent / "cache").rglob("*.builds/*/*") if path.is_file())
    entry.write_bytes(entry.read_bytes()[:-1])
    assert CollectionCache("models", root).get() is None


def test_models_that_lie_elsewhere_are_found_when_they_come(root: Path) -> None:
    """A test for each file of a folder that is none of tests: none is lost to what was kept."""
    fleet = root / "fleet"
    fleet.mkdir()
    (fleet / "names.txt").write_text("one\ntwo\n")
    (fleet / "a.onnx").write_text("")
    (root / "models" / "test_a.py").write_text(
        "import pathlib, pytest\n"
        "fleet = pathlib.Path(__file__).parents[1] / 'fleet'\n"
        "names = (fleet / 'names.txt').read_text().split()\n"
        "names += [p.stem for p in fleet.glob('*.onnx')]\n"
        "@pytest.mark.parametrize('name', names)\n"
        "def test_a(name): pass\n"
    )

    def count() -> int:
        return len(collect_tests("models", root, cached=True).ids)

    assert count() == 3
    assert CollectionCache("models", root).get() is not None, "it was kept"
    (fleet / "b.onnx").write_text("")
    assert count() == 4
    (fleet / "names.txt").write_text("one\n")
    assert count() == 3


def test_pytest_is_asked_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "models" / "test_a.py").write_text(
        "import pytest, shared\n"
        "@pytest.mark.parametrize('size', shared.SIZES)\n"
        "def test_a(size): pass\n"
    )
    (root / "conftest.py").write_text("")  # what stands in `root` can be imported
    first = collect_tests("models", root)
    assert len(first.ids) == 2
    asked: list[str] = []

    def ask(*given: object) -> CollectedJson:
        asked.append("")
        return CollectedJson(["models/test_a.py::other"], [Identity(model="a", device="")])

    monkeypatch.setattr(collect, "_attempt", ask)
    assert collect_tests("models", root, cached=True) == first
    assert not asked
    (root / "shared.py").write_text("SIZES = (1,)\n")
    assert collect_tests("models", root, cached=True).ids == ("models/test_a.py::other",)
    assert asked
