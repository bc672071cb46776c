# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`webhook`: the run as a chat's message: `curl --json @webhook.json "$WEBHOOK"`."""

from bringup.reports.reporter import Document, RunReport, Written

NAME = "webhook"
ON_DEMAND = True
WRITES = {"webhook.json": "on demand: a message for Slack, or what takes its messages"}


def write(report: RunReport) -> Written:
    """Write `webhook.json`."""
    from bringup.harness.storage.atomic import write_atomically
    from bringup.reports.messages.slack import render

    path = write_atomically(report.folder / "webhook.json", render(report.run))
    return Written((Document("message", path),))
