# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`index`: all runs of a folder, the newest first: `results/index.html`."""

from bringup.reports.reporter import Document, ResultsReport, RunReport, Written

NAME = "index"
WRITES = {"index.html": "in results/: all runs, the newest first, each with its sentence"}


def write(report: RunReport) -> Written:
    """Write nothing: the list is of many runs."""
    return Written()


def write_results(report: ResultsReport) -> Written:
    """Write `index.html`."""
    from bringup.harness.storage.atomic import write_atomically
    from bringup.reports.results_index import render

    path = report.folder / "index.html"
    write_atomically(path, render(report.nights, report.folder))
    return Written((Document("all runs", path),))
