# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The picture of the rooms: boxes by floor and an arrow for each import, as SVG.

Everything in it is read from the sources when the documentation is built, by the same functions
that `tests/unit/test_house.py` checks the order of the rooms with. Imports that others imply are
left out. Colours follow the page's theme.
"""

import ast
import itertools
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docs.site.layers import Drawing, draw, reduced
from tests.rooms import ROOT, imported, modules, room_of

GROUND = "harness"
"""The house that the others stand on."""
ABOVE = ("pipeline", "reports")
"""They, from left to right."""
_FLOOR, _BOX, _GAP, _PAD, _HEAD = 56, 36, 14, 16, 34
_BETWEEN = 76
"""Pixels between the upper houses and the ground, for arrows and what they say."""
_LETTER = 7.8
_STYLE = """
.rooms text { font: 13px system-ui, sans-serif; fill: var(--color-foreground-primary, #222) }
.rooms .small { font-size: 10.5px; fill: var(--color-foreground-secondary, #555) }
.rooms .house { fill: var(--color-background-secondary, #f6f6f6);
  stroke: var(--color-background-border, #ccc) }
.rooms .box { fill: var(--color-background-primary, #fff);
  stroke: var(--color-brand-primary, #0a4bff) }
.rooms .arrow { fill: none; stroke: var(--color-foreground-muted, #777); stroke-width: 1.2 }
.rooms .wide { stroke-width: 3 }
.rooms .tip { fill: var(--color-foreground-muted, #777) }
.rooms .room:hover .arrow { stroke: var(--color-brand-primary, #0a4bff); stroke-width: 2.5 }
"""


@dataclass(frozen=True)
class Room:
    """What is shown of a room."""

    says: str
    """The first sentence of its docstring."""
    lines: int


@dataclass(frozen=True)
class House:
    """One house, laid out by itself."""

    name: str
    rooms: dict[str, Room]
    drawing: Drawing
    below: tuple[str, ...]
    """Rooms of the ground house that it imports."""

    @property
    def width(self) -> float:
        """Pixels, frame included."""
        return max(self.drawing.width, 120) + 2 * _PAD

    @property
    def height(self) -> float:
        """Pixels, heading included."""
        return self.drawing.levels * _FLOOR + _HEAD


def picture() -> str:
    """The SVG of all rooms."""
    return rendered(house(GROUND), [house(name) for name in ABOVE])


def house(name: str) -> House:
    """Read one house from the sources."""
    rooms: dict[str, Room] = {}
    imports: dict[str, set[str]] = {}
    below: set[str] = set()
    for path in modules(name):
        room = room_of(path)
        rooms[room] = _with_module(rooms.get(room, Room("", 0)), path)
        targets = {room_of(other) for other in imported(path) if other.parent != ROOT / "bringup"}
        below |= {t for t in targets if t.startswith(f"{GROUND}/") and name != GROUND}
        imports.setdefault(room, set()).update(targets - {room})
    graph = reduced({room: frozenset(imports[room] & rooms.keys()) for room in rooms})
    widths = {room: max(70.0, len(_label(room)) * _LETTER + 22) for room in rooms}
    return House(name, rooms, draw(graph, widths, _GAP), tuple(sorted(below)))


def _with_module(room: Room, path: Path) -> Room:
    text = path.read_text("utf-8")
    whole = path.name == "__init__.py" or path.parent.parent == ROOT
    said = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0] if whole else room.says
    return Room(said, room.lines + len(text.splitlines()))


def _label(room: str) -> str:
    return room.partition("/")[2]


# --- drawing --------------------------------------------------------------------------------


def rendered(ground: House, above: list[House]) -> str:
    """The ground, and the others side by side on it."""
    row = sum(one.width for one in above) + 2 * _PAD * (len(above) - 1)
    width, floor = max(ground.width, row), max(one.height for one in above)
    top = floor + _BETWEEN
    parts = _frame(ground, (width - ground.width) / 2, top)
    left = (width - row) / 2
    for one in above:
        parts += _frame(one, left, floor - one.height)
        parts += _onto_ground(one, left + one.width / 2, floor, top)
        left += one.width + 2 * _PAD
    head = (
        f'<svg class="rooms" viewBox="-1 -1 {width + 2:.0f} {top + ground.height + 2:.0f}" '
        'role="img" xmlns="http://www.w3.org/2000/svg" '
        'aria-label="The rooms and the imports between them">'
    )
    tips = [_tip("tip", 7), _tip("wide-tip", 13)]
    return "\n".join([head, f"<style>{_STYLE}</style>", *tips, *parts, "</svg>"])


def _tip(name: str, size: int) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{size}" '
        f'markerHeight="{size}" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="tip" d="M0 0 8 4 0 8z"/></marker>'
    )


def _frame(one: House, left: float, top: float) -> list[str]:
    lines = sum(room.lines for room in one.rooms.values())
    parts = [
        f'<rect class="house" x="{left:.1f}" y="{top:.1f}" width="{one.width:.1f}" '
        f'height="{one.height:.1f}" rx="8"/>',
        f'<text x="{left + _PAD:.1f}" y="{top + 22:.1f}"><tspan font-weight="600">{one.name}/'
        f'</tspan> <tspan class="small">{lines:,} lines</tspan></text>',
    ]
    for room in sorted(one.rooms):
        parts += _room(one, room, left + _PAD, top + _HEAD)
    return parts


def _room(one: House, name: str, left: float, top: float) -> list[str]:
    room, drawing = one.rooms[name], one.drawing
    x, y = _at(drawing, drawing.places[name], left, top)
    width = max(70.0, len(_label(name)) * _LETTER + 22)
    says = escape(f"{name}: {room.says}")
    arrows = [
        f'<path class="arrow" marker-end="url(#tip)" d="{_curve(drawing, path, left, top)}"/>'
        for (above, _), path in drawing.paths.items()
        if above == name
    ]
    return [
        f'<g class="room"><title>{says}</title>',
        *arrows,
        f'<rect class="box" x="{x - width / 2:.1f}" y="{y - _BOX / 2:.1f}" '
        f'width="{width:.1f}" height="{_BOX}" rx="5"/>',
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(_label(name))}</text>',
        f'<text class="small" x="{x:.1f}" y="{y + 13:.1f}" text-anchor="middle">'
        f"{room.lines:,}</text></g>",
    ]


def _at(
    drawing: Drawing, point: tuple[float, float], left: float, top: float
) -> tuple[float, float]:
    x, level = point
    return left + x, top + (drawing.levels - 1 - level) * _FLOOR + _BOX / 2


def _curve(drawing: Drawing, path: tuple[tuple[float, float], ...], left: float, top: float) -> str:
    """From the lower edge of one box to the upper edge of another, vertical at every waypoint."""
    points = [_at(drawing, point, left, top) for point in path]
    x, y = points[0][0], points[0][1] + _BOX / 2
    said = [f"M{x:.1f} {y:.1f}"]
    for i, (to_x, middle) in enumerate(points[1:], start=1):
        to_y = middle - _BOX / 2
        bend = (to_y - y) / 2
        said.append(f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}")
        if i < len(points) - 1:
            said.append(f"V{middle + _BOX / 2:.1f}")
        x, y = to_x, middle + _BOX / 2
    return "".join(said)


def _onto_ground(one: House, x: float, top: float, bottom: float) -> list[str]:
    """One wide arrow for all that a house imports of the ground, which is named beside it."""
    names = [_label(room) for room in one.below]
    said = textwrap.wrap(f"imports only {', '.join(names)}", 26)
    return [
        f'<path class="arrow wide" marker-end="url(#wide-tip)" d="M{x:.1f} {top:.1f}'
        f'V{bottom - 2:.1f}"/>',
        *(
            f'<text class="small" x="{x + 14:.1f}" y="{y:.1f}">{escape(line)}</text>'
            for y, line in zip(itertools.count(top + 22, 14), said, strict=False)
        ),
    ]
