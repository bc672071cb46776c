# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One merged run directory in, every document out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.moves import read_moves
from bringup.harness.records.recent import merged_runs, recent_ops
from bringup.harness.records.run_dir import read_merged, read_ops, read_plans
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.reports import markdown as ops_markdown
from bringup.reports.errors import ReportError
from bringup.reports.html.op_pages import write_op_pages
from bringup.reports.html.run_page import write_html
from bringup.reports.html.text_pages import Choice, write_pages
from bringup.reports.markdown import write_markdown
from bringup.reports.model.ops import ModelOps, models_of
from bringup.reports.model.run import RunSummary, summarise
from bringup.reports.ops_json import artifacts_of_ops, write_exports
from bringup.reports.xlsx import ops as ops_xlsx
from bringup.reports.xlsx.models import write_xlsx
from bringup.reports.xlsx.ops import write_ops_xlsx


@dataclass(frozen=True)
class Built:
    """What was written, and of what."""

    run: RunSummary
    html: Path
    xlsx: Path
    kept_pages: int
    losses: tuple[str, ...]
    ops_xlsx: Path | None = None
    """None when no test went op by op."""
    exports: int = 0
    """JSON files of ops in tt-torch's field names."""


@dataclass(frozen=True)
class BuiltOps:
    """What was written of all models recently run."""

    models: tuple[ModelOps, ...]
    xlsx: Path
    losses: tuple[str, ...]
    """Sentences: runs that could not be read."""


def build(run_dir: Path, choice: Choice = Choice.ALL) -> Built:
    """Write every document of a merged run into its directory.

    Raises:
        RecordError: not a merged run, a newer schema, a malformed record, or a full disk.
        ReportError: the directory is laid out so that a report would leave it.
    """
    run = load(run_dir)
    of_ops = artifacts_of_ops(run.ops, run_dir, good=choice is Choice.ALL)
    kept = write_pages(run_dir, run.results, choice, of_ops)
    exported = write_exports(run_dir, run.ops)
    write_op_pages(run_dir, run, kept)
    return Built(
        run=run,
        html=write_html(run_dir, run, kept),
        xlsx=write_xlsx(run_dir, run),
        kept_pages=len(kept.links),
        losses=tuple(dict.fromkeys((*kept.losses, *exported.losses))),
        ops_xlsx=_write_ops(run_dir, run.ops) if run.any_ops else None,
        exports=exported.files,
    )


def build_ops(
    results: Path, built: Built | None = None, aliases: Mapping[str, str] | None = None
) -> BuiltOps:
    """Write `models_op_per_op.xlsx` and `.md` of all models recently run, into `results`.

    When `built` is of the very same results, its files are taken and not made again. `aliases`
    give old names of tests their present ones.

    Raises:
        RecordError: a full disk.
        ReportError: no merged run below `results` went op by op.
    """
    tests, losses = recent_ops(results, aliases)
    models = models_of(tests)
    if not any(model.found for model in models):
        why = f" ({losses[0]})" if losses else ""
        raise ReportError(f"no merged run below {results} has op-by-op results{why}")
    if built and built.ops_xlsx and built.run.ops == models:
        made = built.ops_xlsx.parent
        for name in (ops_markdown.NAME, ops_xlsx.NAME):
            write_atomically(results / name, (made / name).read_bytes())
        return BuiltOps(models, results / ops_xlsx.NAME, tuple(losses))
    return BuiltOps(models, _write_ops(results, models), tuple(losses))


def _write_ops(folder: Path, models: Sequence[ModelOps]) -> Path:
    write_markdown(folder, models)
    return write_ops_xlsx(folder, models)


def load(run_dir: Path) -> RunSummary:
    """Read and summarise a merged run."""
    header, records = read_merged(run_dir)
    ops = read_ops(run_dir)
    return summarise(header, records, read_plans(run_dir), read_moves(run_dir), ops, run_dir)


class _Created(msgspec.Struct):
    created: float
    resumed: float = 0.0


def newest_run(results: Path) -> Path:
    """The merged run below `results` that was begun, or taken up again, last.

    Raises:
        ReportError: there is none, or one cannot be read and might be it.
    """
    created = {path.parent: _created(path) for path in merged_runs(results)}
    if not created:
        raise ReportError(
            f"no merged run below {results}: name a run directory, or merge one first"
        )
    return max(created, key=lambda run_dir: (created[run_dir], run_dir.name))


def _created(header: Path) -> float:
    try:
        found = decode_json(read_bytes(header), _Created, header, "a run's header")
        return max(found.created, found.resumed)
    except RecordError as error:
        raise ReportError(f"cannot tell which run is the newest: {error}") from error
