# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The run in a terminal: what a person reads when a run has ended.

No format among the others: it comes after them and says what they wrote and what they lost.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bringup.harness.records.fingerprint import shown
from bringup.harness.records.schema import Identity, Outcome, Status
from bringup.reports.build import Built, BuiltModels
from bringup.reports.model import changes
from bringup.reports.model.coverage import Coverage, State, Use, coverage
from bringup.reports.model.ops import ModelOps, SharedOp, blockers
from bringup.reports.model.run import Missing, Result, RunSummary
from bringup.reports.model.tally import Tally
from bringup.reports.reporter import Document
from bringup.reports.text import legend
from bringup.reports.text.numbers import Share, moment_text, seconds
from bringup.reports.text.untrusted import clean, first_line

_AT_MOST = 20  # entries of a section: the documents have the rest
_MOST_OF_CAUSE = 3
_MOST_FIXES = 5
_INDENT = 16  # columns of the two counts before an op

_NONE_BLOCKS = "; none blocks a model"

Entry = tuple[Text, str, str]
"""An outcome or the like, what has it, and a note under it."""


def print_summary(
    built: Built,
    console: Console,
    recent: BuiltModels | None = None,
    others: Sequence[Document] = (),
) -> None:
    """Print the run's counts, what is missing, what needs attention and where to read on.

    `recent` is what was written, besides, of all models recently run, `others` what else was.
    """
    _print(pieces(built.run), console)
    for loss in built.losses:
        console.print(Text(clean(f"kept text lost: {loss}"), "yellow"))
    for loss in recent.unread if recent else ():
        console.print(Text(clean(f"not read: {loss}"), "yellow"))
    documents = [*built.of_run.documents, *built.of_models.documents]
    _print_documents([*documents, *(_of_all_models(recent) if recent else ()), *others], console)


def print_models(built: BuiltModels, console: Console) -> None:
    """Print which ops block most models of all recently run, and where to read on."""
    for loss in built.unread:
        console.print(Text(clean(f"not read: {loss}"), "yellow"))
    _print(op_by_op(built.models, blockers(built.models)), console)
    _print(coverage_of(coverage(built.models, built.devices)), console)
    _print_documents(_of_all_models(built), console)


def _of_all_models(built: BuiltModels) -> list[Document]:
    return [replace(d, label=f"{d.label}, all models") for d in built.made.documents]


def _print_documents(documents: Sequence[Document], console: Console) -> None:
    console.print()
    width = max((len(document.label) for document in documents), default=0) + 2
    for one in documents:
        label = clean(one.label).ljust(width)
        console.print(Text.assemble((label, "dim"), clean(str(one.path))), soft_wrap=True)


def _print(found: Iterable[RenderableType], console: Console) -> None:
    """Print pieces; a text that is not to be wrapped goes out as one line, to be copied."""
    for piece in found:
        console.print(piece, soft_wrap=isinstance(piece, Text) and bool(piece.no_wrap))


def pieces(run: RunSummary) -> Iterator[RenderableType]:
    """Everything to print of a run, top down; a pure function of the summary."""
    header = run.header
    yield Text(clean(f"{header.session} {header.run_id}"), "bold")
    yield Text(clean(f"{moment_text(header.created)}  {run.origin.commit_text}"), "dim")
    yield from _changed(run)
    yield _counts(run.tallies if len(run.tallies) == 1 else (*run.tallies, run.overall))
    if run.cached_text:
        yield Text(run.cached_text, "dim")
    if run.anything_missing:
        yield _title(run.alarm, "bold red")
        yield from (Text(clean(sentence), "red") for sentence in run.gaps)
        yield _listed([_missing(one) for one in run.missing])
    yield from _needing_attention(run)
    if run.left_out:
        yield _title(f"left out by the budget: {len(run.left_out)}")
        yield Text(clean(f"{run.left_out_because_text}; the page names each"), "dim")
    if run.any_ops:
        yield from op_by_op(run.ops, run.blockers)
    if run.moves:
        yield _title(f"proposed list moves: {len(run.moves)}")
        yield _listed(
            [(Text(clean(m.move)), f"{m.test}  {m.device}  {m.list}", m.reason) for m in run.moves]
        )


def _needing_attention(run: RunSummary) -> Iterator[RenderableType]:
    """The failures that no cause above has, each with the command that shows it again."""
    rest = changes.unexplained(run)
    if not run.attention:
        return
    above = len(run.attention) - len(rest)
    yield _title(f"needs attention: {len(run.attention)}" + (f", {above} above" if above else ""))
    for one in rest[:_AT_MOST]:
        yield _listed([_attention(one)])
        if one.command:
            yield Text(f"  {one.command}", "dim", no_wrap=True)
    if len(rest) > _AT_MOST:
        yield Text(f"and {len(rest) - _AT_MOST} more, in the documents", "dim")


def _changed(run: RunSummary) -> Iterator[RenderableType]:
    """What is new beside the runs before, in the words of every document."""
    night = run.night
    if night is None:
        return
    against = changes.against(night)
    yield Text(
        clean(f"{changes.headline(run)} ({against})"), "bold red" if night.regressed else "bold"
    )
    found = changes.causes(night)
    failing = {r.identity.planned.key: r for r in run.attention}
    for cause in found[:_AT_MOST]:
        yield from _cause(cause, [failing[t] for t in cause.cluster.tests if t in failing])
    if len(found) > _AT_MOST:
        yield Text(f"and {len(found) - _AT_MOST} more causes, in the documents", "dim")
    if fixes := list(changes.fix_first(night)):
        yield _title("fix first")
        yield from (Text(clean(f"  {i}. {fix}")) for i, fix in enumerate(fixes[:_MOST_FIXES], 1))


def _cause(cause: changes.Cause, failures: Sequence[Result]) -> Iterator[RenderableType]:
    told = ", ".join(part for part in (cause.where, cause.since, cause.note) if part)
    yield Text.assemble(
        (f"{cause.flag:5} ", "bold red" if cause.new else "dim"),
        (first_line(cause.cluster.name), "bold" if cause.new else ""),
        (f"  {first_line(told)}", "dim"),
    )
    for one in failures[:_MOST_OF_CAUSE]:
        style = legend.OUTCOMES[one.record.outcome].terminal
        name = clean(f" {_name(one.identity)}")
        yield Text.assemble("      ", (one.record.outcome.value, style), name)
    if len(failures) > _MOST_OF_CAUSE:
        yield Text(f"      and {len(failures) - _MOST_OF_CAUSE} more", "dim")
    if cause.cluster.command:
        yield Text(f"      {first_line(cause.cluster.command)}", no_wrap=True)


def op_by_op(models: Sequence[ModelOps], shared: Sequence[SharedOp]) -> Iterator[RenderableType]:
    """How many ops there were, and those that hold most models back, most models first."""
    unbegun = sum(m.unbegun for m in models)
    yield _title(
        f"op by op: {sum(m.found for m in models)} unique ops,"
        f" {sum(m.hits for m in models)} cached,"
        f" {sum(m.statuses[Status.EXECUTED] for m in models)} executed"
        + (f", {unbegun} never begun" if unbegun else "")
        + ("" if shared else "; none of the rest blocks a model" if unbegun else _NONE_BLOCKS)
    )
    if shared:
        yield from _blocking(shared)


def coverage_of(found: Coverage) -> Iterator[RenderableType]:
    """What each device has seen of what models and the sweep exercise, and what it has yet to."""
    yield _title(f"op coverage: {found.text}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("device", overflow="fold")
    for name in ("covered", "good", "pending", "excluded", "unknown"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.by_device:
        counts = [one.states[State.PENDING], one.states[State.EXCLUDED], one.unknown]
        numbers = (one.covered.text, str(one.good), *map(str, counts))
        table.add_row(Text(clean(one.device)), *map(Text, numbers))
    yield table
    for device in found.devices:
        pending = found.pending(device)
        if pending:
            yield _title(f"pending on {clean(device)}: {len(pending)}")
            yield _listed(
                [
                    (Text(f"{row.models} models"), _use(row.use), row.seen[device].why)
                    for row in pending
                ]
            )


def _use(use: Use) -> str:
    return f"{use.name}  {use.dtypes}  rank {use.ranks}" if use.operands else use.name


def _blocking(shared: Sequence[SharedOp]) -> Iterator[RenderableType]:
    yield _title(f"ops by models they block: {len(shared)}")
    yield _counted(
        "models", "nodes", Text("op, its devices and status, how it fails, its reproducer")
    )
    for one in shared[:_AT_MOST]:
        yield _counted(str(len(one.models)), str(one.nodes), _blocker(one))
        if one.command:
            yield Text(" " * _INDENT + one.command, no_wrap=True)
    if len(shared) > _AT_MOST:
        yield Text(f"and {len(shared) - _AT_MOST} more, in the documents", "dim")


def _counted(models: str, nodes: str, text: Text) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        grid.add_column(justify="right", no_wrap=True, width=_INDENT // 2 - 2)
    grid.add_column(overflow="fold")
    grid.add_row(models, nodes, text)
    return grid


def _blocker(one: SharedOp) -> Text:
    verdict = one.worst.verdict
    style = legend.OUTCOMES[verdict.outcome].terminal
    more = f"  {one.variants} variants" if one.variants > 1 else ""
    return Text.assemble(
        (first_line(one.op.name), "bold"),
        f"  {first_line(', '.join(one.devices))}  status {verdict.status.value} ",
        (verdict.outcome.value, style),
        more,
        "\n",
        (first_line(shown(verdict.fingerprint)) or "no fingerprint", "dim"),
    )


def _title(text: str, style: str = "bold") -> Text:
    return Text(f"\n{text}", style)


def _counts(tallies: Sequence[Tally]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("device", overflow="fold")
    for name in ("good", "reported"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("outcomes")
    for tally in tallies:
        late = "bold red" if tally.reported < tally.planned else ""
        table.add_row(
            Text(clean(tally.device)),
            _share(tally.good),
            _share(tally.arrived, late),
            _outcomes(tally),
        )
    return table


def _share(share: Share, style: str = "") -> Text:
    return Text(share.text, style)


def _outcomes(tally: Tally) -> Text:
    counted = [(o, tally.counts[o]) for o in legend.OUTCOMES if tally.counts.get(o)]
    texts = [Text(f"{count}\u00a0{o.value}", legend.OUTCOMES[o].terminal) for o, count in counted]
    return Text(", ").join(texts)


def _missing(one: Missing) -> Entry:
    outcome = Outcome.NOT_RUN.value if one.result else legend.NO_RECORD
    return Text(outcome, "red"), _name(one.identity), one.reason


def _attention(one: Result) -> Entry:
    outcome = one.record.outcome
    stage = f"{one.failing_stage}: " if one.failing_stage else ""
    return (
        Text(outcome.value, legend.OUTCOMES[outcome].terminal),
        f"{_name(one.identity)}  {seconds(one.seconds)}",
        stage + one.failure_line,
    )


def _name(identity: Identity) -> str:
    return f"{identity.shown}  {identity.device}"


def _listed(entries: Sequence[Entry]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for tag, subject, note in entries[:_AT_MOST]:
        grid.add_row(tag, Text.assemble(clean(subject).strip(), "\n", (clean(note), "dim")))
    if len(entries) > _AT_MOST:
        grid.add_row("", Text(f"and {len(entries) - _AT_MOST} more, in the documents"))
    return grid
