# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model's own requirements: installed over the environment, for its tests, and whole or not."""

import importlib
import importlib.metadata
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.errors import FileError, UsageError
from bringup.harness.peer import overlay
from bringup.harness.session import begin


def wheel(folder: Path, name: str, version: str, source: str, needs: str = "") -> None:
    """A wheel of one module."""
    about = f"{name}-{version}.dist-info"
    require = f"Requires-Dist: {needs}\n" if needs else ""
    texts = {
        f"{name}.py": source,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{require}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*texts, f"{about}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, text in (*texts.items(), (f"{about}/RECORD", record)):
            file.writestr(path, text)


@pytest.fixture
def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "needed_by_one", "1.0", "import needed_below\nversion = 1\n", "needed-below")
    wheel(wheels, "needed_by_one", "2.0", "import needed_below\nversion = 2\n", "needed-below")
    wheel(wheels, "needed_below", "1.0", "")
    wheel(wheels, "wants_old_torch", "1.0", "", "torch<1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(overlay, "_root", lambda: tmp_path / "overlays")
    with begin():
        yield tmp_path / "test_one.py"


def version() -> int:
    found: int = importlib.import_module("needed_by_one").version
    return found


def test_two_files_have_two_versions_and_nothing_stays(test_file: Path) -> None:
    path = [*sys.path]
    for wanted in (1, 2, 1):
        with overlay.overlay_of([f"needed_by_one=={wanted}.0"], test_file):
            assert version() == wanted
        assert sys.path == path and "needed_by_one" not in sys.modules
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("needed_by_one")


def test_a_module_is_the_same_one_in_the_next_test(test_file: Path) -> None:
    found = []
    for _ in range(2):
        with overlay.overlay_of(["needed_by_one==1.0"], test_file):
            found.append(importlib.import_module("needed_by_one"))
    assert found[0] is found[1]


def test_what_is_there_already_is_not_installed(test_file: Path) -> None:
    path = [*sys.path]
    with overlay.overlay_of(["pytest"], test_file):
        assert sys.path == path


def test_what_a_killed_install_left_is_taken_away(test_file: Path) -> None:
    with overlay.overlay_of(["needed_by_one==1.0"], test_file):
        pass
    (whole,) = (p for p in (test_file.parent / "overlays").iterdir() if p.is_dir())
    torn = whole.with_name(f"{whole.name}-x.partial")
    whole.rename(torn)
    (torn / "needed_by_one.py").write_text("version = 'torn'")
    with overlay.overlay_of(["needed_by_one==1.0"], test_file):
        assert version() == 1 and not torn.exists()


def test_what_cannot_be_had_says_so(test_file: Path) -> None:
    with (
        pytest.raises(FileError, match=r"requirements of test_one.py cannot be had: .*nobody_has"),
        overlay.overlay_of(["nobody_has_this"], test_file),
    ):
        pass
    with (
        pytest.raises(UsageError, match="do not go with what is under test"),
        overlay.overlay_of(["wants_old_torch"], test_file),
    ):
        pass
    assert [p for p in (test_file.parent / "overlays").iterdir() if p.is_dir()] == []


def test_the_file_beside_a_test_is_read(test_file: Path) -> None:
    assert overlay.beside(test_file) == ()
    test_file.with_name("requirements.txt").write_text("# why\n\none==1  # this\n two\n")
    assert overlay.beside(test_file) == ("one==1", "two")
