# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One merged run directory in, every document out."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.records.moves import read_moves
from harness.records.run_dir import HEADER_NAME, read_merged, read_plans
from reports.errors import ReportError
from reports.html import write_html
from reports.kept import Choice, write_pages
from reports.summary import RunSummary, summarise
from reports.xlsx import write_xlsx


@dataclass(frozen=True)
class Built:
    """What was written, and of what."""

    run: RunSummary
    html: Path
    xlsx: Path
    kept_pages: int
    losses: tuple[str, ...]


def build(run_dir: Path, choice: Choice = Choice.ALL) -> Built:
    """Write every document of a merged run into its directory.

    Raises:
        RecordError: not a merged run, a newer schema, a malformed record, or a full disk.
        ReportError: the directory is laid out so that a report would leave it.
    """
    run = load(run_dir)
    kept = write_pages(run_dir, run.results, choice)
    return Built(
        run=run,
        html=write_html(run_dir, run, kept),
        xlsx=write_xlsx(run_dir, run),
        kept_pages=len(kept.links),
        losses=kept.losses,
    )


def load(run_dir: Path) -> RunSummary:
    """Read and summarise a merged run."""
    header, records = read_merged(run_dir)
    return summarise(header, records, read_plans(run_dir), read_moves(run_dir))


class _Created(msgspec.Struct):
    created: float


def newest_run(results: Path) -> Path:
    """The merged run below `results` that was created last.

    Raises:
        ReportError: there is none, or one cannot be read and might be it.
    """
    created = {path.parent: _created(path) for path in _headers(results)}
    if not created:
        raise ReportError(
            f"no merged run below {results}: name a run directory, or merge one first"
        )
    return max(created, key=lambda run_dir: (created[run_dir], run_dir.name))


def _headers(results: Path) -> list[Path]:
    return [p for depth in ("", "*/", "*/*/") for p in results.glob(depth + HEADER_NAME)]


def _created(header: Path) -> float:
    try:
        return msgspec.json.decode(header.read_bytes(), type=_Created).created
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReportError(f"cannot tell which run is the newest: {header}: {error}") from error
