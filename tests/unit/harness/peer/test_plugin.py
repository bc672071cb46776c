# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""tt-torch's pytest options, in a folder without a conftest of theirs."""

import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.peer.plugin import group_of

FILE = """\
import pytest
from tt_torch.tools.utils import OpByOpBackend

FLOWS = [OpByOpBackend.STABLEHLO, OpByOpBackend.TORCH, None]


@pytest.mark.parametrize("op_by_op", FLOWS, ids=["op_by_op_stablehlo", "op_by_op_torch", "full"])
@pytest.mark.parametrize("size", [1, 2])
def test_one(op_by_op, size):
    pass
"""


def run(folder: Path, *arguments: str) -> str:
    (folder / "test_one.py").write_text(FILE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio"]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--op_by_op_torch", "--op_by_op_stablehlo", "--splits=3", "--group=1"], "2 passed"),
        (["--crashsafe"], "--crashsafe takes one test, and 6 were collected"),
        (["--crashsafe", "--log-memory", "test_one.py::test_one[1-full]"], "1-full]: at most "),
    ],
)
def test_options(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    assert sentence in run(tmp_path, *arguments)


@pytest.mark.parametrize("count", [0, 1, 6, 7])
def test_groups_have_every_test_once(count: int) -> None:
    groups = [group_of(range(count), 4, group) for group in (1, 2, 3, 4)]
    assert [item for group in groups for item in group] == [*range(count)]
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
