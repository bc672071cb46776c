# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`feed`: regressions of all runs, to be told of by a feed reader: `results/regressions.atom`."""

from bringup.reports.reporter import Document, ResultsReport, RunReport, Written

NAME = "feed"
WRITES = {"regressions.atom": "in results/: an entry for each night that something broke in"}


def write(report: RunReport) -> Written:
    """Write nothing: a feed is of many runs."""
    return Written()


def write_results(report: ResultsReport) -> Written:
    """Write `regressions.atom`."""
    from bringup.harness.storage.atomic import write_atomically
    from bringup.reports.messages.atom import render

    path = report.folder / "regressions.atom"
    write_atomically(path, render(report.nights, report.folder))
    return Written((Document("feed of regressions", path),))
