# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`html`: pages to read a run in, offline: the run's own, its ops' and its artifacts'."""

import re

from bringup.reports.folder import folder_of, remove_others
from bringup.reports.reporter import ArtifactChoice, Document, RunReport, Written

NAME = "html"
WRITES = {
    "index.html": "one file with all results and ops, opens offline",
    "ir/*.html": "IR and diagnostics that were kept, one page per distinct text",
}

_OF_OPS = re.compile(r"t-[0-9a-f]{16}\.html")
"""Pages of ops that earlier versions wrote into `ops/`; all of it is in the page now."""


def write(report: RunReport) -> Written:
    """Write `index.html` and `ir/*.html`, and remove pages of earlier builds."""
    from bringup.reports.html.artifact_pages import FOLDER, artifacts_of_ops, write_artifact_pages
    from bringup.reports.html.run_page import write_html

    run, folder, choice = report.run, report.folder, report.artifacts
    of_ops = artifacts_of_ops(run.ops, folder, good=choice is ArtifactChoice.ALL)
    of_ops += [text.artifact for text in run.trends.earlier] if run.trends else []
    # the artifacts' pages come first: only what was written is linked; the run's page leads to
    # all others and comes last
    pages = write_artifact_pages(folder, run.results, choice, of_ops)
    remove_others(folder_of(folder, "ops"), _OF_OPS.fullmatch, ())
    beside = {path.name for path in folder.iterdir()}
    documents = [Document("page", write_html(folder, run, pages, beside))]
    if pages.links:
        documents.append(Document(f"kept texts ({len(pages.links)})", folder / FOLDER))
    return Written(tuple(documents), pages.losses)
