# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""All sources that a session's models may be of: what counts, and where nobody can tell."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.builds.sources import SourceFolders, all_sources
from bringup.harness.records.verdicts import file_digest
from bringup.harness.records.verdicts.file_digest import (
    digest_of,
    digest_of_code,
    digest_of_sources,
)
from bringup.harness.session import begin


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "checkout"
    (folder / "models" / "net").mkdir(parents=True)
    (folder / "models" / "net" / "model.py").write_text("SCALE = 1\n")
    (folder / "conftest.py").write_text("")
    return folder


@pytest.fixture
def session(checkout: Path) -> Iterator[SourceFolders]:
    with begin() as session:
        yield session.hold(SourceFolders([checkout, checkout / "models"]))


def test_an_edit_counts_and_what_is_no_source_does_not(checkout: Path) -> None:
    before = digest_of_sources(checkout)
    assert len(before) == 64
    (checkout / "weights.bin").write_bytes(b"1")
    for name in (".git", "results", ".venv", "__pycache__", "env"):
        (checkout / name).mkdir()
        (checkout / name / "left.py").write_text("1")
    (checkout / "env" / "pyvenv.cfg").write_text("")
    (checkout / "broken.py").symlink_to("nowhere.py")
    assert digest_of_sources(checkout) == before
    (checkout / "models" / "net" / "model.py").write_text("SCALE = 2\n")
    edited = digest_of_sources(checkout)
    assert edited != before
    (checkout / "models" / "net" / "model.py").rename(checkout / "models" / "model.py")
    moved = digest_of_sources(checkout)
    assert moved not in (before, edited)
    (checkout / "models" / "model.py").rename(checkout / "models" / "net" / "model.py")
    assert digest_of_sources(checkout) == edited  # by its content, whenever it was written


def test_what_one_process_read_the_next_one_does_not(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is kept of files, and of folders that are gone, meanwhile."""
    gone = tmp_path / "gone"
    gone.mkdir()
    digest_of_sources(gone)
    found = digest_of_sources(checkout), digest_of_code(checkout)
    gone.rmdir()
    digest_of(checkout / "conftest.py")
    monkeypatch.setattr(file_digest, "_known", {})
    monkeypatch.setattr(file_digest.hashlib, "file_digest", None)  # nothing is read again
    assert (digest_of_sources(checkout), digest_of_code(checkout)) == found
    assert not [name for name in file_digest._kept() if name.startswith(str(gone))]


def test_a_folder_that_is_no_checkout_has_none(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert digest_of_sources(checkout / "nothing") == ""
    monkeypatch.setattr(file_digest, "_MOST_ENTRIES", 2)
    assert digest_of_sources(checkout) == ""


def test_without_folders_nobody_can_tell() -> None:
    with begin() as session:
        session.hold(SourceFolders())
        assert all_sources() == ()


def test_a_folder_within_another_is_looked_through_once(
    session: SourceFolders, checkout: Path
) -> None:
    assert session.folders == (checkout.resolve(),)
    assert all_sources() == all_sources() != ()


def imported(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / "imported_for_a_test.py"
    path.write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop(path.stem, None)
    importlib.invalidate_caches()
    importlib.import_module(path.stem)
    return path


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of what other tests made and imported, in this process."""
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and ("pytest-of-" in file or not Path(file).exists()):
            monkeypatch.delitem(sys.modules, name)
    yield
    sys.modules.pop("imported_for_a_test", None)


def test_what_was_imported_from_elsewhere_counts(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = []
    for text in ("A = 1\n", "A = 2\n"):
        imported(elsewhere, text, monkeypatch)
        sys.modules.pop("imported_for_a_test")
        with begin() as session:
            session.hold(SourceFolders([checkout]))
            importlib.import_module("imported_for_a_test")
            found.append(all_sources())
    assert () not in found and found[0] != found[1]


def test_a_module_that_was_edited_while_the_session_runs_makes_all_unsure(
    session: SourceFolders, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all_sources() != ()
    imported(checkout, "A = 1\n", monkeypatch)  # written after the session began
    assert all_sources() == ()
    del sys.modules["imported_for_a_test"]
    assert all_sources() != ()
