# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The texts of issues, drafted from the records' evidence. Nothing is ever filed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from bringup.harness.records.advice import Advice, read_advice
from bringup.harness.records.moves import Move
from bringup.harness.records.naming import listed_as
from bringup.harness.records.reproducible import (
    is_reproducible,
    reproduce_command,
    reproducer_name,
)
from bringup.harness.records.schema import (
    Check,
    Metric,
    Outcome,
    OutputCheck,
    PlannedTest,
    Provenance,
    RunHeader,
    TestRecord,
)
from bringup.harness.storage.atomic import write_atomically
from bringup.pipeline.lists.expectations import end_of, reproduce
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from bringup.pipeline.results.markdown import block, code, plain, table

FOLDER = "issues"
LABEL = "models_pcc_issue"
MOST_ROWS = 20
"""Rows of failing checks in the table, and of other tests; the rest are counted."""


def write_drafts(
    run_dir: Path,
    header: RunHeader,
    records: Iterable[TestRecord],
    moves: Iterable[Move] = (),
    broken_promises: Collection[str] = (),
) -> list[Path]:
    """Draft an issue below `run_dir` for each failure that needs one; return the files.

    One draft is of one failure, by its fingerprint, and of all records that have it: it is drafted
    from the first. A record needs one that is a full-flow test's which is incorrect, that `moves`
    take off the nightly full list, or whose key is among `broken_promises`; and that ended in the
    compiler, on the device or in the comparison, for elsewhere there is nothing to report to
    anybody.

    Raises:
        RecordError: the disk is full or gone.
    """
    demoted = {
        (m.test, m.device) for m in moves if m.move == "remove" and m.list == NIGHTLY_FULL.name
    }
    causes: dict[str, list[TestRecord]] = defaultdict(list)
    for record in records:
        identity = record.identity
        if identity.flow != "full" or not is_reproducible(record.outcome, record.failure):
            continue
        if (
            record.outcome is Outcome.INCORRECT
            or identity.key in broken_promises
            or (listed_as(record), identity.device) in demoted
        ):
            causes[end_of(record).fingerprint or identity.key].append(record)
    written = []
    for first, *others in causes.values():
        text = draft_issue(
            first, header.provenances.get(first.provenance), others, read_advice(header.started_by)
        )
        path = run_dir / FOLDER / f"{reproducer_name(first.identity)}.md"
        written.append(write_atomically(path, text.encode("utf-8", "replace")))
    return written


def draft_issue(
    record: TestRecord,
    provenance: Provenance | None = None,
    others: Sequence[TestRecord] = (),
    advice: Advice | None = None,
) -> str:
    """Markdown for a test that is incorrect or does not run: evidence, versions, how to see it;
    `others` fail in the same way; `advice` is how its run was started, by default as here.

    Whatever comes from the record stands in code spans, so it can neither mention people nor
    change the text around it. Without `provenance` the versions are left out.
    """
    identity = record.identity
    failing = [(o, c) for o in record.outputs for c in o.checks if c.asserted and not c.ok]
    name = record.model_name or identity.model
    again = reproduce(PlannedTest(identity, record.nodeid, entry=record.entry), advice)
    if command := reproduce_command(record.nodeid, identity, record.entry, advice):
        again += f"\n{command}  # finds the ops that are to blame"
    incorrect = record.outcome is Outcome.INCORRECT
    parts = [
        f"# {code(name)} on {code(identity.device)}: {plain(_title(record, failing))}",
        *([f"Labels: `{LABEL}`"] if incorrect else []),
        f"The test {code(identity.key)} {'ran to the end' if incorrect else 'did not run through'}"
        f" (status {record.status:d}: {record.status.name}) and its outcome is {record.outcome}.",
        *(["## Failing checks", _table(failing)] if failing else []),
        *([f"The harness says: {code(record.failure.message)}"] if record.failure else []),
        "## Reproduce",
        block(again),
        *(_versions(provenance) if provenance else []),
        *(_same(others) if others else []),
        *(_UNTIL_IT_IS_RIGHT if incorrect else ()),
    ]
    return "\n\n".join(parts) + "\n"


_UNTIL_IT_IS_RIGHT = (
    "## Until it is fixed",
    "Disable the failing check in the test body and name this issue there:",
    "```\n# TODO Enable checking - <link of this issue>\nassert_pcc=False,\n```",
)


def _same(others: Sequence[TestRecord]) -> list[str]:
    lines = [f"- {code(record.identity.key)}" for record in others[:MOST_ROWS]]
    left = len(others) - MOST_ROWS
    more = f"\n\nand {left} more." if left > 0 else ""
    return ["## Other tests that fail in the same way", "\n".join(lines) + more]


def _title(record: TestRecord, failing: list[tuple[OutputCheck, Check]]) -> str:
    if record.outcome is Outcome.INCORRECT:
        wrong = ", ".join(dict.fromkeys(c.metric for _, c in failing)) or "a check"
        return f"{wrong} does not hold"
    stage = record.failure.stage if record.failure else None
    return f"{record.outcome} in stage {stage}" if stage else str(record.outcome)


def _table(failing: list[tuple[OutputCheck, Check]]) -> str:
    rows = []
    for output, check in failing[:MOST_ROWS]:
        required = "" if check.required is None else repr(check.required)
        shape = "x".join(map(str, output.shape)) or "scalar"
        cells = (output.path, shape, output.dtype, check.metric, _number(check.measured), required)
        rows.append([code(cell) for cell in cells])
    left = len(failing) - MOST_ROWS
    head = ("output", "shape", "dtype", "check", "measured", "required")
    return table(head, rows) + (f"\n\nand {left} more." if left > 0 else "")


def _versions(provenance: Provenance) -> list[str]:
    commit = provenance.git_commit or "not a git checkout"
    lines = [
        f"- Commit: {code(commit)}{' with local changes' if provenance.git_dirty else ''}",
        f"- Python: {code(provenance.python)}, seed {provenance.seed}",
        *(f"- {code(name)}: {code(v)}" for name, v in sorted(provenance.versions.items())),
    ]
    return ["## Versions", "\n".join(lines)]


def _number(metric: Metric) -> str:
    return str(metric.state) if metric.value is None else repr(metric.value)
