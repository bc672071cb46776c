# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The legend at the foot of a summary: what outcomes, statuses and figures mean."""

from collections.abc import Mapping
from typing import Any

from openpyxl.styles import PatternFill

from bringup.reports.text import legend
from bringup.reports.xlsx.sheets import BOLD, put

STATUSES = {legend.status_text(status): meaning for status, meaning in legend.STATUSES.items()}
OUTCOMES = {outcome.value: style.meaning for outcome, style in legend.OUTCOMES.items()}


def put_legend(sheet: Any, row: int, parts: Mapping[str, Mapping[str, str]]) -> int:
    """Write titles with names and meanings under each; gives the row after the last.

    An outcome has its colour.
    """
    tints = {outcome.value: style.tint for outcome, style in legend.OUTCOMES.items()}
    for title, meanings in parts.items():
        put(sheet, row, 1, title, BOLD)
        for offset, (name, meaning) in enumerate(meanings.items(), start=1):
            cell = put(sheet, row + offset, 1, name)
            if title == "Outcome" and name in tints:
                cell.fill = PatternFill("solid", fgColor=tints[name])
            put(sheet, row + offset, 2, meaning)
        row += len(meanings) + 2
    return row
