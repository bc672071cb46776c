# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`json`: a run's ops in tt-torch's field names, a file per test."""

from bringup.reports.reporter import Document, RunReport, Written

NAME = "json"
ON_DEMAND = True
"""Of a large night they are hundreds of megabytes, and its spreadsheet has the same."""
WRITES = {"models/*_unique_ops.json": "on demand: tt-torch's fields, a file per op-by-op test"}


def write(report: RunReport) -> Written:
    """Write `models/NAME_unique_ops.json` and remove those of earlier builds."""
    from bringup.reports.ops_json import FOLDER, write_exports

    exported = write_exports(report.folder, report.run.ops)
    label = f"ops as JSON ({exported.files})"
    documents = (Document(label, report.folder / FOLDER),) if exported.files else ()
    return Written(documents, exported.losses)
