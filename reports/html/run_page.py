# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The run as one HTML file that works offline: `index.html`.

The grid and every failure with its command are plain HTML. The rest of a result (stages, checks,
earlier attempts) is rendered here too, deflated in blocks, and put in place by the page's
script when a result is opened: 2,000 results would otherwise be tens of megabytes to parse.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from jinja2 import Environment

from bringup.harness.records.metrics import titled
from bringup.harness.records.outcomes import ATTENTION
from bringup.harness.records.schema import Outcome
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.html import op_pages
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.environment import asset, environment, packed, policy
from bringup.reports.model import op_results
from bringup.reports.model.run import GridRow, Result, RunSummary
from bringup.reports.model.tally import Tally
from bringup.reports.model.timeline import timeline
from bringup.reports.text import legend, numbers
from bringup.reports.text.untrusted import first_line, link_spans

NAME = "index.html"
_MOST_BLOCKERS = 100  # rows: the spreadsheet has all of them
_PER_BLOCK = 32  # results: small enough to unpack between two frames, large enough to shrink


def write_html(
    run_dir: Path, run: RunSummary, pages: ArtifactPages, beside: Collection[str]
) -> Path:
    """Write `index.html` into the run directory; of the files `beside` it, it links to ours.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(run_dir / NAME, render(run, pages, beside).encode())


def render(run: RunSummary, pages: ArtifactPages, beside: Collection[str] = ()) -> str:
    """The whole page; the same summary gives the same text."""
    sheets = (asset("page.css"), asset("ops.css") if run.any_ops else "")
    generated = f"#cells {{ --devices: {len(run.devices)} }}\n{legend.css()}"
    style, script = "".join((*sheets, generated)), asset("page.js")
    tallies = run.tallies if len(run.tallies) == 1 else (run.overall, *run.tallies)
    unrun = [r for r in run.results if r.unrun]
    good = [r for r in run.results if r.good]
    shown = [*run.attention, *unrun, *good]
    places = {r.anchor: f"{i // _PER_BLOCK}.{i % _PER_BLOCK}" for i, r in enumerate(shown)}
    jinja = _environment(pages.links, beside)
    return jinja.get_template("page.html.j2").render(
        run=run,
        tiles=[(tally, _bars(tally)) for tally in tallies],
        unrun=unrun,
        good=good,
        lost_count=sum(1 for m in run.missing if m.result is None),
        losses=pages.losses,
        most_blockers=_MOST_BLOCKERS,
        places=places,
        blocks=_blocks(jinja, run, shown),
        style=style,
        script=script,
        policy=policy(style, script),
    )


def _environment(links: Mapping[str, str], beside: Collection[str]) -> Environment:
    """The environment of all pages with the legend, numbers and links that a run's page needs."""
    jinja = environment().overlay()
    jinja.filters = jinja.filters | {
        "first_line": first_line,
        "link_spans": link_spans,
        "metric": numbers.metric_text,
        "number": numbers.number_text,
        "moment": numbers.moment_text,
        "pcc": numbers.pcc_text,
        "row_seconds": _row_seconds,
        "seconds": numbers.seconds,
        "size": numbers.size_text,
        "shapes": op_results.shapes_text,
        "status": legend.status_text,
    }
    jinja.globals = jinja.globals | {
        "beside": beside,
        "figures": legend.FIGURES,
        "failing_stage": op_results.failing_stage,
        "failure_line": op_results.failure_line,
        "links": links,
        "outcomes": legend.OUTCOMES,
        "model_statuses": legend.MODEL_STATUSES,
        "no_record": legend.NO_RECORD,
        "no_record_meaning": legend.NO_RECORD_MEANING,
        "page_of": op_pages.page_of,
        "ranks": {outcome: rank for rank, outcome in enumerate(ATTENTION)},
        "statuses": legend.STATUSES,
    }
    return jinja


def _row_seconds(row: GridRow) -> float | None:
    return numbers.total(c.seconds for c in row.cells if isinstance(c, Result))


@dataclass(frozen=True)
class _Bar:
    """One outcome's part of a device's bar, in percent of its width."""

    name: str
    label: str
    count: int
    x: float
    width: float


def _bars(tally: Tally) -> list[_Bar]:
    counted = [(o.value, o.value, tally.counts.get(o, 0)) for o in legend.OUTCOMES]
    lost = tally.planned - tally.reported - tally.counts.get(Outcome.NOT_RUN, 0)
    counted.append(("none", legend.NO_RECORD, lost))
    present = [part for part in counted if part[2] > 0]
    whole = sum(count for *_, count in present)
    starts = itertools.accumulate((count for *_, count in present), initial=0)
    return [
        _Bar(name, label, count, round(100 * x / whole, 3), round(100 * count / whole, 3))
        for x, (name, label, count) in zip(starts, present, strict=False)
    ]


def _blocks(jinja: Environment, run: RunSummary, shown: Sequence[Result]) -> list[str]:
    template = jinja.get_template("detail.html.j2")
    models = {model.identity: model for model in run.ops}
    details = [
        template.render(
            one=one,
            model=models.get(one.identity),
            facts=_facts(run, one),
            # each once, in the order in which they were measured
            metrics=list(dict.fromkeys(c.metric for o in one.record.outputs for c in o.checks)),
            spans=timeline(one.record),
        )
        for one in shown
    ]
    return [
        packed(msgspec.json.encode(details[i : i + _PER_BLOCK]))
        for i in range(0, len(details), _PER_BLOCK)
    ]


def _facts(run: RunSummary, one: Result) -> list[tuple[str, str]]:
    record = one.record
    made = run.header.provenances.get(record.provenance)
    facts = [
        ("model", record.model_name),
        ("group", record.model_group),
        ("parameters", f"{record.parameters:,}" if record.parameters is not None else ""),
        ("depth asked for", record.depth),
        ("status", legend.status_text(record.status)),
        ("model status", record.model_status.value),
        *((f"worst {m.title}", numbers.metric_text(record.metric(m.name))) for m in titled()),
        ("peak memory", numbers.size_text(record.peak_rss)),
        ("started", numbers.moment_text(record.started)),
        ("attempt", str(record.attempt) if one.earlier or record.attempt > 1 else ""),
        ("list", one.list_name),
        ("host", made.host if made else ""),
        ("pytest id", "" if one.command else record.nodeid),
    ]
    return [(name, value) for name, value in facts if value]
