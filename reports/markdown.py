# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The models' op status as a markdown table: `models_op_per_op.md`."""

import re
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.records.schema import Status
from bringup.harness.storage.atomic import write_atomically
from bringup.reports.model.op_results import failing_stage
from bringup.reports.model.ops import ModelOps, blockers, made_text
from bringup.reports.text import legend
from bringup.reports.text.untrusted import clean

NAME = "models_op_per_op.md"
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
_MOST_BLOCKERS = 100
_LONGEST = 200  # characters of a cell


def write_markdown(folder: Path, models: Sequence[ModelOps]) -> Path:
    """Write `models_op_per_op.md` into a folder.

    Raises:
        RecordError: the disk is full or gone.
    """
    return write_atomically(folder / NAME, render(models).encode("utf-8", "replace"))


def render(models: Sequence[ModelOps]) -> str:
    """The whole text; the same models give the same text."""
    lines = ["# Models, op by op", "", _cell(made_text(models)), ""]
    titles = ["model", "test", "device", *(str(s.value) for s in Status)]
    titles += ["total", "never begun", "good", "compiled", "executed"]
    titles += ["unknown errors", "timeouts", "cached"]
    lines += [_row(titles), _row(["---"] * 3 + ["--:"] * (len(titles) - 3))]
    for model in models:
        names = model.name, model.identity.shown, model.identity.device
        shares = model.good, model.compiled, model.executed
        figures = [*model.statuses, model.found, model.unbegun, *(s.text for s in shares)]
        figures += [model.unknown_errors, model.timeouts, model.hits]
        lines.append(_row([*map(_cell, names), *map(str, figures)]))
    lines += ["", *(f"{_cell(legend.status_text(s))}: {m}  " for s, m in legend.STATUSES.items())]
    return "\n".join([*lines, *_blocking(models), ""])


def _blocking(models: Sequence[ModelOps]) -> list[str]:
    found = blockers(models)
    if not found:
        return []
    lines = ["", "## Ops by models they block", ""]
    titles = ["models", "nodes", "op", "devices", "status", "outcome", "stage", "fingerprint"]
    titles.append("reproducer")
    lines += [_row(titles), _row(["--:", "--:", *["---"] * 7])]
    for one in found[:_MOST_BLOCKERS]:
        verdict = one.worst.verdict
        texts = [one.op.name, ", ".join(one.devices), legend.status_text(verdict.status)]
        texts += [verdict.outcome.value, failing_stage(one.worst), verdict.fingerprint]
        texts.append(one.command)
        lines.append(_row([str(len(one.models)), str(one.nodes), *map(_cell, texts)]))
    if len(found) > _MOST_BLOCKERS:
        lines += ["", f"and {len(found) - _MOST_BLOCKERS} more, in the spreadsheet"]
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that markdown shows as it is, on one line."""
    text = " ".join(clean(text).split())
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return _SPECIAL.sub(r"\\\1", text)
