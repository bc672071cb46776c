# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where tests can be collected, and where their ids begin."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bringup.pipeline.planning.collect import collect_tests
from bringup.pipeline.planning.ids import ids_meant


def a_test(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "test_one.py").write_text("def test_one(): pass\n")
    return folder


@pytest.mark.parametrize("spelled", [os.fspath, lambda p: f"../{p.name}"])
def test_tests_elsewhere_are_called_as_in_their_own_project(
    tmp_path: Path, spelled: Callable[[Path], str]
) -> None:
    elsewhere = a_test(tmp_path / "elsewhere")
    root = a_test(tmp_path / "checkout")
    found = collect_tests(spelled(elsewhere), root)
    assert (found.ids, found.root) == (("test_one.py::test_one",), elsewhere)
    (tmp_path / "elsewhere.py").touch()
    a_test(elsewhere / "models <a>")
    (elsewhere / "pytest.ini").write_text("[pytest]\n")
    found = collect_tests(f"{spelled(elsewhere)}/models <a>", root)
    assert (found.ids, found.root) == (("models <a>/test_one.py::test_one",), elsewhere)
    for word in (f"{elsewhere}/models <a>", "models <a>", "../elsewhere/models <a>/test_one.py"):
        assert ids_meant(word, found, root) == list(found.ids)


def test_a_folder_below_may_be_named_in_full(tmp_path: Path) -> None:
    below = a_test(tmp_path / "checkout" / "models")
    assert collect_tests(str(below), below.parent).ids == ("models/test_one.py::test_one",)
