# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A page per op-by-op test: `ops/*.html`, every unique op of the model with what came of it.

The run's own page stays light: it names the models and the ops that block most of them, and
leads here.
"""

import re
from collections.abc import Collection
from pathlib import Path

from jinja2 import Template

from bringup.harness.records.outcomes import is_good
from bringup.harness.records.schema import Metric
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.folder import folder_of, remove_others
from bringup.reports.html.artifact_pages import ArtifactPages
from bringup.reports.html.environment import asset, environment, policy
from bringup.reports.model.op_results import (
    attributes_text,
    cached_text,
    command_of,
    compared_with,
    failure_line,
    is_uncompared,
    seconds_of,
    shapes_text,
)
from bringup.reports.model.ops import ModelOps
from bringup.reports.model.run import RunSummary, anchor_of
from bringup.reports.text import legend, numbers

FOLDER = "ops"
_OURS = re.compile(r"t-[0-9a-f]{16}\.html")


def page_of(model: ModelOps) -> str:
    """The page's address, relative to the run directory."""
    return f"{FOLDER}/{anchor_of(model.identity)}.html"


def write_op_pages(
    run_dir: Path, run: RunSummary, pages: ArtifactPages, beside: Collection[str]
) -> None:
    """Write a page per test that got as far as its ops, and remove those of earlier builds.

    Of the files `beside` the run's page, they link to ours.

    Raises:
        RecordError: the disk is full or gone.
        ReportError: the folder is a link to somewhere else.
    """
    folder = folder_of(run_dir, FOLDER)
    current, template = set(), _template(pages, beside)
    for model in run.ops:
        if model.ops:
            page = _page(run, model, template).encode()
            # no sync: after a power cut they are built again from records, which were synced
            current.add(write_atomically(run_dir / page_of(model), page, sync=False).name)
    remove_others(folder, _OURS.fullmatch, current)


def _template(pages: ArtifactPages, beside: Collection[str]) -> Template:
    """The page's template, compiled once for all pages of a run."""
    jinja = environment().overlay()
    jinja.filters = jinja.filters | {
        "brief": _brief,
        "link_spans": lambda text: [(text, "")],
        "moment": numbers.moment_text,
        "pcc": numbers.pcc_text,
        "seconds": numbers.seconds,
        "shapes": shapes_text,
        "size": numbers.size_text,
        "status": legend.status_text,
    }
    jinja.globals = jinja.globals | {
        "beside": beside,
        "links": {sha256: f"../{address}" for sha256, address in pages.links.items()},
        "no_record": legend.NO_RECORD,
    }
    return jinja.get_template("ops.html.j2")


def _page(run: RunSummary, model: ModelOps, template: Template) -> str:
    style, script = asset("page.css") + asset("ops.css") + legend.css(), asset("ops.js")
    return template.render(
        run=run,
        model=model,
        anchor=anchor_of(model.identity),
        bad=model.count(lambda op: not is_good(op)),
        is_good=is_good,
        is_uncompared=is_uncompared,
        attributes_text=attributes_text,
        cached_text=cached_text,
        command_of=command_of,
        compared_with=compared_with,
        failure_line=failure_line,
        seconds_of=seconds_of,
        style=style,
        script=script,
        policy=policy(style, script),
    )


def _brief(metric: Metric | None) -> str:
    """Three digits of a difference: every digit is in the spreadsheet."""
    value = numbers.metric_cell(metric)
    return f"{value:.3g}" if isinstance(value, float) else numbers.metric_text(metric)
