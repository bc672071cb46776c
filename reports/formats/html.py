# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`html`: pages to read a run in, offline: the run's own, its ops' and its artifacts'."""

from bringup.reports.reporter import ArtifactChoice, Document, RunReport, Written

NAME = "html"
WRITES = {
    "index.html": "one file, opens offline; links to the documents beside it",
    "ir/*.html": "IR and diagnostics that were kept, one page per distinct text",
    "ops/*.html": "a page per op-by-op test with all its ops",
}


def write(report: RunReport) -> Written:
    """Write `index.html`, `ops/*.html` and `ir/*.html`, and remove pages of earlier builds."""
    from bringup.reports.html.artifact_pages import FOLDER, artifacts_of_ops, write_artifact_pages
    from bringup.reports.html.op_pages import write_op_pages
    from bringup.reports.html.run_page import write_html

    run, folder, choice = report.run, report.folder, report.artifacts
    of_ops = artifacts_of_ops(run.ops, folder, good=choice is ArtifactChoice.ALL)
    # the artifacts' pages come first: only what was written is linked; the run's page leads to
    # all others and comes last
    pages = write_artifact_pages(folder, run.results, choice, of_ops)
    beside = {path.name for path in folder.iterdir()}
    write_op_pages(folder, run, pages, beside)
    documents = [Document("page", write_html(folder, run, pages, beside))]
    if pages.links:
        documents.append(Document(f"kept texts ({len(pages.links)})", folder / FOLDER))
    return Written(tuple(documents), pages.losses)
