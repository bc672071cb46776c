# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The house keeps its shape: rooms import only down the arrow, every source carries its licence."""

import ast

import pytest

from tests.licence_header import has_header, is_source, tracked, with_header
from tests.rooms import FROM_GROUND_UP, ROOT, SHARED, imported, modules, order, room_of


@pytest.mark.parametrize("house", FROM_GROUND_UP)
def test_every_room_is_in_the_order_and_every_name_in_it_is_a_room(house: str) -> None:
    assert sorted(order(house)) == sorted({room_of(path) for path in modules(house)})


@pytest.mark.parametrize("house", FROM_GROUND_UP)
def test_rooms_import_only_down_the_arrow(house: str) -> None:
    floors = {room: floor for floor, room in enumerate(order(house))}
    seen, wrong = 0, []
    for path in modules(house):
        room = room_of(path)
        for other in imported(path):
            target = room_of(other)
            if other == ROOT / house / "__init__.py":
                continue
            seen += target != room
            outside = house != "harness" and target.startswith(SHARED)
            if not outside and floors.get(target, len(floors)) > floors[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {other.relative_to(ROOT)}")
    assert seen > 20 and not wrong, "\n".join(wrong)


def test_imports_name_the_package_and_not_a_folder_of_the_checkout() -> None:
    wrong = []
    for house in (*FROM_GROUND_UP, "tests"):
        for path in sorted((ROOT / house).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                wrong += [f"{path}: {n}" for n in names if n.split(".")[0] in FROM_GROUND_UP]
    assert not wrong, wrong


def test_no_room_is_too_large_to_be_known() -> None:
    lines: dict[str, int] = {}
    for house in FROM_GROUND_UP:
        for path in modules(house):
            room = room_of(path)
            lines[room] = lines.get(room, 0) + len(path.read_text("utf-8").splitlines())
    largest = max(lines, key=lambda room: lines[room])
    assert lines[largest] < 0.15 * sum(lines.values()), largest


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


NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
OF_OUR_OWN = frozenset(
    {
        *("ballast", "begun_op", "blobs", "completions", "conclude", "drawn", "finding"),
        *("findings", "kept", "known", "promises", "restored", "speech", "verbs"),
    }
)
"""What modules were called once, for which nobody from elsewhere would look."""


def test_no_module_is_named_for_nothing_or_in_words_of_our_own() -> None:
    named = [p for p in tracked() if p.suffix == ".py" and p.stem in NAMELESS | OF_OUR_OWN]
    assert [p for p in named if "peer_checkout" not in p.parts] == []  # tt-torch's, by its names


def test_no_module_is_too_long_to_be_known() -> None:
    lines = {p: len(p.read_text("utf-8").splitlines()) for h in FROM_GROUND_UP for p in modules(h)}
    assert {p.relative_to(ROOT): n for p, n in lines.items() if n > 450} == {}
