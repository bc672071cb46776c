# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`crcr`: the run for PyTorch's HUD, as its relay of other repositories' CI takes it."""

from bringup.reports.reporter import Document, RunReport, Written

NAME = "crcr"
ON_DEMAND = True
WRITES = {"crcr.json": "on demand: the callback to PyTorch's Cross-Repository CI Relay"}


def write(report: RunReport) -> Written:
    """Write `crcr.json`."""
    import os

    from bringup.harness.storage.atomic import write_atomically
    from bringup.reports.messages.crcr import render

    path = write_atomically(report.folder / "crcr.json", render(report.run, os.environ))
    return Written((Document("callback to HUD", path),))
