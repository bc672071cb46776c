# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where tests can be collected: below the folder in which the command was started."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bringup.pipeline.errors import PipelineError
from bringup.pipeline.planning.collect import collect_tests


def a_test(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "test_one.py").write_text("def test_one(): pass\n")
    return folder


@pytest.mark.parametrize("spelled", [os.fspath, lambda p: f"../{p.name}"])
def test_tests_elsewhere_are_refused_and_not_planned_for_nobody(
    tmp_path: Path, spelled: Callable[[Path], str]
) -> None:
    elsewhere = a_test(tmp_path / "elsewhere")
    root = a_test(tmp_path / "checkout")
    with pytest.raises(
        PipelineError, match=r"lies outside .*checkout.*; run `bringup` in a folder"
    ):
        collect_tests(spelled(elsewhere), root)


def test_a_folder_below_may_be_named_in_full(tmp_path: Path) -> None:
    below = a_test(tmp_path / "checkout" / "models")
    assert collect_tests(str(below), below.parent).ids == ("models/test_one.py::test_one",)
