# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A layered drawing of a graph without circles: who points at whom is always above.

The method is that of Sugiyama, Tagawa and Toda (1981): levels by longest path, a waypoint on every
level that a long edge passes, the order within a level by barycentres, and then places that are
near those of the neighbours. Pure functions; the same graph gives the same drawing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

Graph = Mapping[str, frozenset[str]]
"""From each node to those it points at, all of which are nodes."""
Point = tuple[float, float]
_SWEEPS = 24


@dataclass(frozen=True)
class Drawing:
    """Where everything is: x in pixels, y in levels, 0 for the lowest."""

    places: dict[str, Point]
    """The middle of each node."""
    paths: dict[tuple[str, str], tuple[Point, ...]]
    """For each edge the points it goes through, from its node to the one it points at."""
    width: float
    levels: int


def reachable(graph: Graph) -> dict[str, frozenset[str]]:
    """All that each node leads to, however far."""
    found: dict[str, frozenset[str]] = {}
    for node in bottom_up(graph):
        found[node] = graph[node].union(*(found[other] for other in graph[node]))
    return found


def reduced(graph: Graph) -> dict[str, frozenset[str]]:
    """The graph without edges that others imply."""
    behind = reachable(graph)
    return {
        node: frozenset(t for t in targets if not any(t in behind[o] for o in targets if o != t))
        for node, targets in graph.items()
    }


def bottom_up(graph: Graph) -> list[str]:
    """The nodes, each after those it points at.

    Raises:
        ValueError: the graph has a circle.
    """
    order: list[str] = []
    left = dict.fromkeys(sorted(graph))
    while left:
        free = [node for node in left if graph[node] <= set(order)]
        if not free:
            raise ValueError(f"a circle among {', '.join(left)}")
        order += free
        for node in free:
            del left[node]
    return order


def levels_of(graph: Graph) -> dict[str, int]:
    """For each node how many edges the longest way down from it has."""
    levels: dict[str, int] = {}
    for node in bottom_up(graph):
        levels[node] = 1 + max((levels[other] for other in graph[node]), default=-1)
    return levels


def draw(graph: Graph, widths: Mapping[str, float], gap: float) -> Drawing:
    """Lay out a graph; `widths` and `gap` are in pixels."""
    levels = levels_of(graph)
    chains = {(a, b): _chain(a, b, levels) for a in sorted(graph) for b in sorted(graph[a])}
    rows = _rows(levels, chains.values())
    beside = _neighbours(chains.values())
    for sweep in range(_SWEEPS):
        _sort(rows if sweep % 2 else rows[::-1], beside)
    middles = _places(rows, beside, {n: widths.get(n, 0.0) for row in rows for n in row}, gap)
    heights = {node: float(y) for y, row in enumerate(rows) for node in row}
    return Drawing(
        {node: (middles[node], heights[node]) for node in graph},
        {e: tuple((middles[n], heights[n]) for n in chain) for e, chain in chains.items()},
        max((middles[node] + widths[node] / 2 for node in graph), default=0.0),
        len(rows),
    )


def _chain(above: str, below: str, levels: Mapping[str, int]) -> list[str]:
    """An edge's nodes from above to below, a waypoint on each level between."""
    between = range(levels[above] - 1, levels[below], -1)
    return [above, *(f"{above}>{below}@{level}" for level in between), below]


def _rows(levels: Mapping[str, int], chains: Iterable[list[str]]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(1 + max(levels.values(), default=-1))]
    for node in sorted(levels):
        rows[levels[node]].append(node)
    for above, *waypoints, _ in chains:
        for step, waypoint in enumerate(waypoints, start=1):
            rows[levels[above] - step].append(waypoint)
    return rows


def _neighbours(chains: Iterable[list[str]]) -> dict[str, list[str]]:
    beside: dict[str, list[str]] = {}
    for chain in chains:
        for above, below in pairwise(chain):
            beside.setdefault(above, []).append(below)
            beside.setdefault(below, []).append(above)
    return beside


def _sort(rows: list[list[str]], beside: Mapping[str, list[str]]) -> None:
    """Put each row into the order of its neighbours' mean places in the rows around it."""
    for row in rows:
        place = {n: i / max(1, len(r) - 1) for r in rows for i, n in enumerate(r)}
        row.sort(key=lambda node: _mean([place[o] for o in beside.get(node, ())], place[node]))


def _places(
    rows: list[list[str]],
    beside: Mapping[str, list[str]],
    widths: Mapping[str, float],
    gap: float,
) -> dict[str, float]:
    """The middles of all nodes, as near to their neighbours as widths and gaps allow."""
    middles: dict[str, float] = {}
    for row in rows:
        _spread(row, dict.fromkeys(row, 0.0), middles, widths, gap)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 else rows[::-1]:
            wanted = {
                node: _mean([middles[o] for o in beside.get(node, ())], middles[node])
                for node in row
            }
            _spread(row, wanted, middles, widths, gap)
    left = min((middles[node] - widths[node] / 2 for row in rows for node in row), default=0.0)
    return {node: middle - left for node, middle in middles.items()}


def _spread(
    row: list[str],
    wanted: Mapping[str, float],
    middles: dict[str, float],
    widths: Mapping[str, float],
    gap: float,
) -> None:
    """Place a row in its order: halfway between pushing from the left and from the right."""

    def apart(a: str, b: str) -> float:
        return (widths[a] + widths[b]) / 2 + gap

    from_left, from_right = dict(wanted), dict(wanted)
    for a, b in pairwise(row):
        from_left[b] = max(from_left[b], from_left[a] + apart(a, b))
    for b, a in pairwise(row[::-1]):
        from_right[a] = min(from_right[a], from_right[b] - apart(a, b))
    for node in row:
        middles[node] = (from_left[node] + from_right[node]) / 2


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
