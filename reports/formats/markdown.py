# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`markdown`: models op by op as a table, e.g. for an issue."""

from bringup.reports.reporter import Document, ModelsReport, RunReport, Written

NAME = "markdown"
WRITES = {"models_op_per_op.md": "the same as markdown"}


def write(report: RunReport) -> Written:
    """Write nothing: there is no table of a run's tests."""
    return Written()


def write_models(report: ModelsReport) -> Written:
    """Write `models_op_per_op.md`."""
    from bringup.reports.markdown import write_markdown

    return Written((Document("ops as markdown", write_markdown(report.folder, report.models)),))
