# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`xlsx`: spreadsheets of a run's tests, and of models op by op."""

from bringup.reports.reporter import Document, ModelsReport, RunReport, Written

NAME = "xlsx"
WRITES = {
    "models.xlsx": "What changed, Summary, Models; where they apply Missing, Proposed list moves",
    "models_op_per_op.xlsx": "models op by op, op coverage; in results/ of all recently run",
}


def write(report: RunReport) -> Written:
    """Write `models.xlsx`."""
    from bringup.reports.addresses import Addresses
    from bringup.reports.xlsx.models import write_xlsx

    addresses = Addresses(report.folder, report.artifacts)
    return Written((Document("spreadsheet", write_xlsx(report.folder, report.run, addresses)),))


def write_models(report: ModelsReport) -> Written:
    """Write `models_op_per_op.xlsx`."""
    from bringup.reports.addresses import Addresses
    from bringup.reports.xlsx.ops import write_ops_xlsx

    addresses = Addresses(report.folder, report.artifacts)
    path = write_ops_xlsx(report.folder, report.models, addresses, report.devices)
    return Written((Document("ops", path),))
