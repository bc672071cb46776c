# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Libraries that test files are sure to import are named; nothing of a project's own is."""

from pathlib import Path

import pytest

from bringup.pipeline.running.preload import libraries

FILE = "tests/models/bert/test_bert.py"


def project(root: Path, files: dict[str, str]) -> Path:
    """A project of files by path."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import torch", ("torch",)),
        ("from torch.nn import Linear, ReLU", ("torch.nn:Linear,ReLU",)),
        ("from torch.nn import *", ("torch.nn",)),
        ("import torch as t, numpy", ("torch", "numpy")),
        ("from bringup import ModelTester", ("bringup:ModelTester",)),
        ('"""A page."""\nfrom __future__ import annotations\nimport torch', ("torch",)),
        ("import os, sys, pytest\nfrom collections import abc", ()),
        ("SIZE = 3\nimport torch", ()),
        ("import torch\nset_up()\nimport numpy", ("torch",)),
        ("def test():\n    import torch", ()),
        ("import torch\nthis is no Python", ()),
        ("import torch\ndef test():\n    import os; os.environ['A'] = '1'", ("torch",)),
        ("import os\nos.environ['A'] = '1'\nimport torch", None),
        ("import torch, os\nos.environ.setdefault('A', '1')", None),
        ("from . import models", ()),
        ("from .. import sizes\nfrom ....... import above_all", ()),
    ],
)
def test_the_head_of_a_file_says_what_it_imports(
    tmp_path: Path, text: str, expected: tuple[str, ...] | None
) -> None:
    root = project(tmp_path, {FILE: text})
    assert libraries(root, [FILE]) == expected


def test_what_stands_beside_a_file_is_read_and_not_named(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            FILE: "from ..seeded import build\nimport bare\nimport tests.data",
            "tests/models/seeded.py": "import transformers",
            "tests/models/bert/bare.py": "import numpy\nimport tests.models.seeded",
            "tests/data/__init__.py": "import onnx",
        },
    )
    assert set(libraries(root, [FILE]) or ()) == {"transformers", "numpy", "onnx"}


def test_a_conftest_that_sets_variables_has_nothing_imported_before_it(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            FILE: "import torch",
            "conftest.py": "import os\nos.environ['HF_HUB_OFFLINE'] = '1'",
        },
    )
    assert libraries(root, [FILE]) is None
    (root / "conftest.py").write_text("import transformers")
    assert set(libraries(root, [FILE]) or ()) == {"torch", "transformers"}


def test_a_file_that_is_not_there_is_the_workers_to_say(tmp_path: Path) -> None:
    assert libraries(tmp_path, ["tests/test_gone.py"]) == ()
    (tmp_path / "test_bytes.py").write_bytes(b"\xff\x00import torch")
    assert libraries(tmp_path, ["test_bytes.py"]) == ()
