# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The text of an issue, drafted from one record's evidence. Nothing is ever filed."""

import re

from harness.records.schema import (
    Check,
    Metric,
    OutputCheck,
    PlannedTest,
    Provenance,
    TestRecord,
)
from pipeline.promises import reproduce

LABEL = "models_pcc_issue"
MOST_ROWS = 20
"""Rows of failing checks in the table; the rest are counted."""


def draft_issue(record: TestRecord, provenance: Provenance | None = None) -> str:
    """Markdown for a test that runs and is incorrect: title, evidence, versions, how to see it.

    Whatever comes from the record stands in code spans, so it can neither mention people nor
    change the text around it. Without `provenance` the versions are left out.
    """
    identity = record.identity
    failing = [(o, c) for o in record.outputs for c in o.checks if c.asserted and not c.ok]
    wrong = ", ".join(dict.fromkeys(c.metric for _, c in failing)) or "a check"
    name = record.model_name or identity.model
    parts = [
        f"# {_code(name)} on {_code(identity.device)}: {_plain(wrong)} does not hold",
        f"Labels: `{LABEL}`",
        f"The test {_code(identity.key)} ran to the end (status {record.status:d}: "
        f"{record.status.name}) and its outcome is {record.outcome}.",
        *(["## Failing checks", _table(failing)] if failing else []),
        *([f"The harness says: {_code(record.failure.message)}"] if record.failure else []),
        "## Reproduce",
        _block(reproduce(PlannedTest(identity, record.nodeid))),
        *(_versions(provenance) if provenance else []),
        "## Until it is fixed",
        "Disable the failing check in the test body and name this issue there:",
        _block("# TODO Enable checking - <link of this issue>\nassert_pcc=False,"),
    ]
    return "\n\n".join(parts) + "\n"


def _table(failing: list[tuple[OutputCheck, Check]]) -> str:
    rows = ["| output | shape | dtype | check | measured | required |", "|" + " --- |" * 6]
    for output, check in failing[:MOST_ROWS]:
        required = "" if check.required is None else repr(check.required)
        shape = "x".join(map(str, output.shape)) or "scalar"
        cells = (output.path, shape, output.dtype, check.metric, _number(check.measured), required)
        rows.append("| " + " | ".join(_code(c).replace("|", "\\|") for c in cells) + " |")
    left = len(failing) - MOST_ROWS
    return "\n".join(rows) + (f"\n\nand {left} more." if left > 0 else "")


def _versions(provenance: Provenance) -> list[str]:
    commit = provenance.git_commit or "not a git checkout"
    lines = [
        f"- Commit: {_code(commit)}{' with local changes' if provenance.git_dirty else ''}",
        f"- Python: {_code(provenance.python)}, seed {provenance.seed}",
        *(f"- {_code(name)}: {_code(v)}" for name, v in sorted(provenance.versions.items())),
    ]
    return ["## Versions", "\n".join(lines)]


def _number(metric: Metric) -> str:
    return str(metric.state) if metric.value is None else repr(metric.value)


def _code(text: str) -> str:
    """A code span that nothing inside can end; line ends become spaces."""
    line = " ".join(text.split())
    if not line:
        return ""
    fence = "`" * (1 + max(map(len, re.findall(r"`+", line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _block(text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _plain(text: str) -> str:
    return re.sub(r"[^\w, ]", "", text)
