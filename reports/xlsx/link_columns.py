# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Columns whose cells lead to a kept text: `Torch IR` to `Compiled JSON`, with the text's size."""

from collections.abc import Mapping
from pathlib import Path

from bringup.harness.records.schema import Artifact, OpVerdict, TestRecord
from bringup.reports.addresses import Addresses
from bringup.reports.model.texts import COLUMNS, texts_of
from bringup.reports.text.numbers import size_text
from bringup.reports.xlsx.bulk_rows import Cell
from bringup.reports.xlsx.hyperlinks import Link

TITLES = tuple(COLUMNS)
Texts = Mapping[str, Artifact]
"""By level."""


def by_level(of: TestRecord | OpVerdict) -> Texts:
    """The texts of a test or of an op."""
    return {text.level: text for text in texts_of(of)}


def text_link(
    title: str, texts: Texts, run_dir: Path | None, addresses: Addresses, *, good: bool
) -> Cell:
    """What the column called `title` has of a test's or an op's texts.

    Level and size where the text itself is not kept: that it was there is known all the same.
    """
    text = next((texts[level] for level in COLUMNS[title] if level in texts), None)
    if text is None:
        return None
    address = addresses.text(run_dir, text, good=good)
    shown = f"{text.level}, {size_text(text.size)}"
    return Link(shown, address) if address else f"{shown}, not kept"
