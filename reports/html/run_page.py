# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The run as one HTML file that works offline: `index.html`.

What a reader wants first is plain HTML: the night in a sentence, causes, what to fix, devices. The
grid, its past, every result and every op lie in the same file as packed columns (`pack`), which
the page's script (`templates/app`) unpacks and draws as they come into sight.
"""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from bringup.harness.records.estimates import ASSUMPTION
from bringup.harness.records.outcomes import ATTENTION
from bringup.harness.records.schema import Outcome
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.detail_data import detail_blocks
from bringup.reports.html.environment import asset, environment, policy
from bringup.reports.html.estimate_data import estimates_block
from bringup.reports.html.grid_data import grid_block, grid_of, past_block
from bringup.reports.html.op_data import ops_block
from bringup.reports.html.text_data import compared_texts
from bringup.reports.model import changes, op_results
from bringup.reports.model.coverage import State
from bringup.reports.model.headline import counted, headline
from bringup.reports.model.past import Line, device_lines, new_names
from bringup.reports.model.run import RunSummary, anchor_of
from bringup.reports.model.tally import Tally
from bringup.reports.text import legend, numbers, shown
from bringup.reports.text.numbers import Share
from bringup.reports.text.untrusted import first_line, link_spans, shown_name

NAME = "index.html"
SCRIPTS = (
    *("dom", "unpack", "state", "filter", "grid", "charts"),
    *("panel_test", "panel_op", "estimates", "panel_device", "texts", "main"),
)
"""Of `templates/app`, in the order in which they need each other; together they are one script."""
_MOST = {
    **{"causes": 8, "missing": 100, "left_out": 200, "blockers": 50, "moves": 200},
    **{"new_ops": 8, "unseen": 30, "shown": 40},
}
"""Rows of the tables; more of a thing would hide the next one, and the spreadsheet has all."""
_MOST_PLAIN = 100
"""Failures that are plain HTML, for a browser without scripts."""
_SPARK = (90.0, 16.0)
_NOTICED = 0.05
"""Percentage points: less than that is no change."""


def write_html(
    run_dir: Path, run: RunSummary, pages: ArtifactPages, beside: Collection[str]
) -> Path:
    """Write `index.html` into the run directory; of the files `beside` it, it links to ours.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(run_dir / NAME, render(run, pages, beside, run_dir).encode())


def render(
    run: RunSummary,
    pages: ArtifactPages,
    beside: Collection[str] = (),
    folder: Path | None = None,
) -> str:
    """The whole page; the same summary, and the same texts kept in `folder`, give the same text."""
    style = asset("dashboard.css") + legend.colours() + legend.symbols(".badge")
    script = (
        '"use strict";\n(() => {\n' + "".join(asset(f"app/{n}.js") for n in SCRIPTS) + "})();\n"
    )
    jinja = _environment(pages.links, beside)
    return jinja.get_template("page.html.j2").render(
        run=run,
        headline=headline(run),
        causes=changes.causes(run.night),
        first=changes.FIRST,
        fixes=list(changes.fix_first(run.night)),
        tiles=_tiles(run),
        blockers=run.blockers,
        new_ops=new_names(run.trends),
        attention=run.attention[:_MOST_PLAIN],
        losses=pages.losses,
        blocks=_blocks(run, pages.links, folder),
        style=style,
        script=script,
        policy=policy(style, script),
        **{f"most_{what}": most for what, most in _MOST.items()},
    )


def _blocks(
    run: RunSummary, links: Mapping[str, str], folder: Path | None
) -> list[tuple[str, str]]:
    """Element ids and what is packed in them."""
    grid = grid_of(run)
    found = [("grid-data", grid_block(run, grid)), ("past", past_block(run, grid))]
    if run.any_ops:
        found.append(("ops-data", ops_block(run.ops, run.devices, grid, links, run.trends)))
    if run.any_estimates:
        found.append(("estimates-data", estimates_block(grid)))
    pairs, texts = compared_texts(run, links, folder)
    details = detail_blocks(run, grid, links, folder, pairs)
    found += [(f"detail-{number}", block) for number, block in enumerate(details)]
    return found + [(f"text-{name}", block) for name, block in texts.items()]


def _environment(links: Mapping[str, str], beside: Collection[str]) -> Environment:
    """The environment of all pages with the legend, numbers and links that a run's page needs."""
    jinja = environment().overlay()
    jinja.filters = jinja.filters | {
        "anchor": anchor_of,
        "counted": counted,
        "date": numbers.date_text,
        "first_line": first_line,
        "link_spans": link_spans,
        "moment": numbers.moment_text,
        "size": numbers.size_text,
        "shapes": op_results.shapes_text,
        "status": legend.status_text,
        "urlencode": lambda text: quote(text.encode("utf-8", "replace"), safe=""),
    }
    jinja.globals = jinja.globals | {
        "assumption": ASSUMPTION,
        "beside": beside,
        "figure": shown.figure_text,
        "figures": legend.FIGURES,
        "failing_stage": op_results.failing_stage,
        "failure_line": op_results.failure_line,
        "links": links,
        "outcomes": legend.OUTCOMES,
        "picture": shown.address,
        "model_statuses": legend.MODEL_STATUSES,
        "no_record": legend.NO_RECORD,
        "no_record_meaning": legend.NO_RECORD_MEANING,
        "ranks": {outcome: rank for rank, outcome in enumerate(ATTENTION)},
        "states": State,
        "statuses": legend.STATUSES,
    }
    return jinja


# --- devices ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bar:
    """One outcome's part of a device's bar, in percent of its width."""

    name: str
    label: str
    symbol: str
    count: int
    x: float
    width: float


@dataclass(frozen=True)
class _Figure:
    """A share tonight, its last nights as a line, and what it differs from the baseline by."""

    name: str
    text: str
    paths: tuple[str, ...]
    """Points of polylines, one for each stretch of nights without a gap."""
    change: str
    kind: str
    """A class for the change: of what is better, of what is worse."""


@dataclass(frozen=True)
class _Tile:
    name: str
    """Of the device, as the page's script has it."""
    tally: Tally
    bars: tuple[_Bar, ...]
    figures: tuple[_Figure, ...]
    opens: bool
    """It has a panel: it is one device and not all of them."""


def _tiles(run: RunSummary) -> list[_Tile]:
    tallies = run.tallies if len(run.tallies) == 1 else (run.overall, *run.tallies)
    return [_tile(run, tally, tally in run.tallies) for tally in tallies]


def _tile(run: RunSummary, tally: Tally, opens: bool) -> _Tile:
    night, lines = run.night, dict[str, Line]()
    if run.trends and len(run.trends.nights) > 1:
        baseline = night.baseline.run if night and night.baseline else ""
        device = tally.device if opens else ""
        found = device_lines(run.trends, device, baseline, run.compile_only)
        lines = {line.name: line for line in found}
    shares = {"compiled": tally.compiled, "executed": tally.executed, "good": tally.good}
    figures = (_figure(name, share, lines.get(name)) for name, share in shares.items())
    return _Tile(shown_name(tally.device), tally, _bars(tally), tuple(figures), opens)


def _figure(name: str, share: Share, line: Line | None) -> _Figure:
    if line is None or share.percent is None:
        return _Figure(name, share.text, (), "", "")
    change = line.change
    if change is None:
        text, kind = "", ""
    elif abs(change) < _NOTICED:
        text, kind = "=", ""
    else:
        text, kind = (
            f"{'▲' if change > 0 else '▼'} {abs(change):.1f}",
            " up" if change > 0 else " down",
        )
    return _Figure(name, share.text, _paths(line), text, kind)


def _paths(line: Line) -> tuple[str, ...]:
    """Between the least and the most of its nights, but never as if 10 points were the whole."""
    width, height = _SPARK
    step = width / max(len(line.percent) - 1, 1)
    known = [percent for percent in line.percent if percent is not None]
    middle = (min(known) + max(known)) / 2 if known else 0.0
    span = max(max(known) - min(known), 10.0) if known else 1.0
    found: list[list[str]] = [[]]
    for at, percent in enumerate(line.percent):
        if percent is None:
            found.append([])
        else:
            y = height / 2 - (height - 3) * (percent - middle) / span
            found[-1].append(f"{at * step:.1f},{y:.1f}")
    # a night alone would be no line
    return tuple(" ".join(p if len(p) > 1 else [*p, *p]) for p in found if p)


def _bars(tally: Tally) -> tuple[_Bar, ...]:
    counted_by = [
        (o.value, o.value, style.symbol, tally.counts.get(o, 0))
        for o, style in legend.OUTCOMES.items()
    ]
    lost = tally.planned - tally.reported - tally.counts.get(Outcome.NOT_RUN, 0)
    counted_by.append(("none", legend.NO_RECORD, "?", lost))
    present = [part for part in counted_by if part[3] > 0]
    whole = sum(part[3] for part in present)
    starts = itertools.accumulate((part[3] for part in present), initial=0)
    return tuple(
        _Bar(name, label, symbol, count, round(100 * x / whole, 3), round(100 * count / whole, 3))
        for x, (name, label, symbol, count) in zip(starts, present, strict=False)
    )
