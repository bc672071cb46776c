# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The picture of the rooms: boxes by floor and an arrow for each import, as SVG.

Everything in it is read from the sources when the documentation is built, by the same functions
that `tests/unit/test_house.py` checks the order of the rooms with. Imports that others imply are
left out. Colours follow the page's theme.
"""

import ast
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docs.site.layers import Drawing, draw, reduced
from tests.rooms import ROOT, imported, modules, room_of

HOUSES = ("pipeline", "harness", "reports")
"""From left to right."""
GROUND = "harness"
"""The house that the others stand on."""
_FLOOR, _BOX, _GAP, _PAD, _HEAD = 62, 36, 16, 18, 34
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
    return rendered([house(name) for name in HOUSES])


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


def rendered(houses: list[House]) -> str:
    """Houses side by side; those that are not the ground stand higher than what they import."""
    ground = next(h for h in houses if h.name == GROUND)
    lift = {h.name: _lift(h, ground) for h in houses}
    height = max(h.height + lift[h.name] for h in houses) + 2 * _PAD
    parts, left, frames = [], 0.0, {}
    for one in houses:
        top = height - _PAD - lift[one.name] - one.height
        frames[one.name] = (left, top)
        parts += _frame(one, left, top)
        left += one.width + 3 * _PAD
    parts += [a for h in houses if h is not ground for a in _onto_ground(h, ground, frames)]
    width = left - 3 * _PAD
    head = (
        f'<svg class="rooms" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        'xmlns="http://www.w3.org/2000/svg" aria-label="The rooms and the imports between them">'
    )
    tips = [_tip("tip", 7), _tip("wide-tip", 13)]
    return "\n".join([head, f"<style>{_STYLE}</style>", *tips, *parts, "</svg>"])


def _tip(name: str, size: int) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{size}" '
        f'markerHeight="{size}" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="tip" d="M0 0 8 4 0 8z"/></marker>'
    )


def _lift(one: House, ground: House) -> float:
    levels = [ground.drawing.places[room][1] for room in one.below]
    return (max(levels) + 1) * _FLOOR if levels else 0.0


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


def _onto_ground(one: House, ground: House, frames: dict[str, tuple[float, float]]) -> list[str]:
    """One wide arrow for all that a house imports of the ground, which is named beside it."""
    left, top = frames[one.name]
    foot_x, foot_y = left + one.width / 2, top + one.height
    ground_left, _ = frames[ground.name]
    edge = ground_left if left < ground_left else ground_left + ground.width
    y = foot_y + 1.5 * _FLOOR
    names = ", ".join(_label(room) for room in one.below)
    parts = [
        f'<path class="arrow wide" marker-end="url(#wide-tip)" d="M{foot_x:.1f} {foot_y:.1f}'
        f"V{y - 20:.1f}Q{foot_x:.1f} {y:.1f} {foot_x + (20 if edge > foot_x else -20):.1f} "
        f'{y:.1f}H{edge:.1f}"/>'
    ]
    for i, words in enumerate(["imports only", *names.split(", ")]):
        parts.append(
            f'<text class="small" text-anchor="middle" x="{foot_x:.1f}" '
            f'y="{y + 22 + 14 * i:.1f}">{escape(words)}</text>'
        )
    return parts
