# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model was seen to say, as reports write it: its task's metrics, texts and pictures."""

import base64
from collections.abc import Iterable

from bringup.harness.records.schema import Shown
from bringup.reports.text.numbers import metric_cell
from bringup.reports.text.untrusted import clean


def figure_text(one: Shown) -> str:
    """A number in four digits, or why it is none; else the text; of a picture nothing."""
    if one.number is None:
        return clean(one.text)
    value = metric_cell(one.number)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def line(shown: Iterable[Shown]) -> str:
    """`accuracy 0.9688, speech ....####`: all but pictures, in a line."""
    return ", ".join(f"{clean(one.name)} {figure_text(one)}" for one in shown if not one.picture)


def address(one: Shown) -> str:
    """A picture as an address that a page can show; empty for what is none, or no PNG."""
    if not one.is_png:
        return ""
    return "data:image/png;base64," + base64.b64encode(one.picture).decode("ascii")
