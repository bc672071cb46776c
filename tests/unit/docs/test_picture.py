# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The drawing of a graph: whatever the graph, arrows go down and no box lies on another."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.site.layers import bottom_up, draw, levels_of, reachable, reduced
from docs.site.picture import ABOVE, GROUND, house, picture
from tests.rooms import FROM_GROUND_UP, order

NODES = "abcdefghijkl"


@st.composite
def graphs(draw_: st.DrawFn) -> dict[str, frozenset[str]]:
    """A graph without circles: a node points at earlier ones only."""
    count = draw_(st.integers(0, len(NODES)))
    return {
        node: frozenset(draw_(st.sets(st.sampled_from(NODES[:i]))) if i else ())
        for i, node in enumerate(NODES[:count])
    }


@given(graphs())
def test_reducing_keeps_what_is_reachable_and_nothing_is_implied(
    graph: dict[str, frozenset[str]],
) -> None:
    less = reduced(graph)
    assert reachable(less) == reachable(graph)
    for node, targets in less.items():
        for target in targets:
            without = {**less, node: targets - {target}}
            assert target not in reachable(without)[node]


@settings(max_examples=60)
@given(graphs(), st.floats(1, 200), st.floats(0, 30))
def test_arrows_go_down_and_boxes_lie_apart(
    graph: dict[str, frozenset[str]], width: float, gap: float
) -> None:
    widths = {node: width + 10 * i for i, node in enumerate(graph)}
    drawing = draw(graph, widths, gap)
    assert drawing == draw(graph, widths, gap)
    for path in drawing.paths.values():
        levels = [y for _, y in path]
        assert levels == [levels[0] - i for i in range(len(levels))]
    for a, b in itertools.combinations(graph, 2):
        (ax, ay), (bx, by) = drawing.places[a], drawing.places[b]
        if ay == by:
            assert abs(ax - bx) >= (widths[a] + widths[b]) / 2 + gap - 1e-6
    for node, (x, _) in drawing.places.items():
        assert x - widths[node] / 2 >= -1e-6 and x + widths[node] / 2 <= drawing.width + 1e-6


def test_a_circle_is_named() -> None:
    with pytest.raises(ValueError, match="a circle among b, c"):
        bottom_up({"a": frozenset(), "b": frozenset("ac"), "c": frozenset("b")})


def test_the_picture_has_every_room_once_and_every_import_is_in_it_or_implied() -> None:
    svg = picture()
    for name in (*ABOVE, GROUND):
        one = house(name)
        assert set(one.rooms) == set(order(name)) == set(levels_of_drawing(name))
        for room in one.rooms:
            assert svg.count(f"<title>{room}:") == 1
    assert set(FROM_GROUND_UP) == {*ABOVE, GROUND}
    assert svg == picture()


def levels_of_drawing(name: str) -> dict[str, int]:
    one = house(name)
    edges = {room: frozenset(b for a, b in one.drawing.paths if a == room) for room in one.rooms}
    levels = levels_of(edges)
    assert {room: y for room, (_, y) in one.drawing.places.items()} == levels
    return levels
