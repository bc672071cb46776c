# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The house keeps its shape: rooms import only down the arrow, every source carries its licence."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licence_header import has_header, is_source, tracked, with_header

ROOT = Path(__file__).parents[2]
RECORDS = ("harness.records", "harness.errors")
ALLOWED = {
    "harness": ("harness",),
    "harness/records": RECORDS,
    "pipeline": ("pipeline", *RECORDS),
    "reports": ("reports", *RECORDS),
}
ROOMS = ("harness", "pipeline", "reports", "tests")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_down_the_arrow(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / room).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in ROOMS and not name.startswith(ALLOWED[room])
    ]
    assert not wrong


def test_every_source_file_carries_its_licence() -> None:
    sources = [p for p in tracked() if is_source(p) and (ROOT / p).is_file()]
    assert len(sources) > 100
    assert [p for p in sources if not has_header((ROOT / p).read_text())] == []


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".py", "x = 1\n"),
        (".py", "#!/bin/sh\nx\n"),
        (".toml", ""),
        (".css", "a {}\n"),
        (".j2", "x"),
    ],
)
def test_a_missing_header_is_inserted_once(suffix: str, text: str) -> None:
    fixed = with_header(text, suffix)
    assert has_header(fixed) and fixed.endswith(text.partition("#!/bin/sh\n")[2] or text)
    assert fixed.startswith("#!") == text.startswith("#!")


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
    assert [p for p in tracked() if p.name in nameless] == []
