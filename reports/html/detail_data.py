# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""All that a test's panel shows, as JSON in blocks that the page's script unpacks when asked.

Keys are letters since every result has them. The script sets all of it as text, so nothing here is
escaped; what no page can carry is taken away by `clean`.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from bringup.harness.errors import RecordError
from bringup.harness.records.advice import Advice
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.metrics import titled
from bringup.harness.records.night import Change, Moment, TestVerdict
from bringup.harness.records.reduced import read_reduced
from bringup.harness.records.reproducible import place_of
from bringup.harness.records.schema import (
    Artifact,
    Check,
    Outcome,
    OutputCheck,
    Stage,
    StageResult,
    TestRecord,
)
from bringup.reports.html.grid_data import Grid
from bringup.reports.html.pack import blocks_of, short
from bringup.reports.html.text_data import Pair
from bringup.reports.model.frames import innermost_own_frame
from bringup.reports.model.run import Result, RunSummary
from bringup.reports.text import estimates, numbers, shown
from bringup.reports.text.untrusted import clean

_PER_BLOCK = 256  # results: unpacked and read in 5 ms
_STAGES = tuple(Stage)
_MOST_OUTPUTS = 40
"""Outputs shown; what asserts and fails comes first, the spreadsheet has all."""
_INHERITED = 10
"""Ops shown that are wrong by inheritance; the spreadsheet has all that are on record."""
_MIB = 1 << 20
_STACKS = frozenset({Outcome.CRASHED, Outcome.TIMEOUT, Outcome.KILLED, Outcome.FAILED})
_LARGEST_STACK = 4 << 20


def detail_blocks(
    run: RunSummary,
    grid: Grid,
    links: Mapping[str, str],
    folder: Path | None,
    texts: Sequence[Pair] = (),
) -> list[str]:
    """The details of every cell that has a result, in the grid's order.

    `folder` is where kept stacks are looked into, `texts` what `compared_texts` found.
    """
    told = {test.test: test for test in run.night.tests} if run.night else {}
    pairs: dict[str, list[Pair]] = {}
    for pair in texts:
        pairs.setdefault(pair[0], []).append(pair)
    found: list[object] = []
    for cell in grid.cells:
        if isinstance(cell, Result):
            verdict = told.get(cell.identity.planned.key)
            found.append(_detail(run, cell, verdict, links, folder, pairs))
    return blocks_of(found, _PER_BLOCK)


def _detail(
    run: RunSummary,
    one: Result,
    verdict: TestVerdict | None,
    links: Mapping[str, str],
    folder: Path | None,
    pairs: Mapping[str, list[Pair]],
) -> dict[str, object]:
    store = ArtifactStore(folder) if folder else None
    record, command = one.record, "" if one.good else one.command
    found: dict[str, object] = {
        "f": _facts(run, one, command),
        "s": [_stage(stage, links) for stage in record.stages],
        "o": _outputs(record.outputs),
        "g": [[clean(s.name), shown.figure_text(s), shown.address(s)] for s in record.shown],
        "x": _failure(record, links, store),
        "c": command,
        "r": one.reduce_command if command else "",
        "b": _blame(one, folder, one.advice) if command and folder else None,
        "e": [[r.outcome.value, numbers.moment_text(r.started), _message(r)] for r in one.earlier],
        "n": [clean(note) for note in (*record.notes, *_followed(record))],
        "w": [clean(warning) for warning in record.warnings],
        "a": [[clean(k), clean(v)] for k, v in record.assertions.items()],
        "v": _verdict(verdict) if verdict else None,
        "t": pairs.get(record.identity.planned.key),
    }
    return {key: value for key, value in found.items() if value}


def _followed(record: TestRecord) -> tuple[str, ...]:
    """What came of following the device's own values through its ops, in lines."""
    if record.followed is None:
        return ()
    inherited = (
        f"wrong by inheritance: {one.op} at {one.node}: {one.why}"
        for one in record.followed.past
        if not one.wrong_alone
    )
    return f"fed the device's own values: {record.followed.said()}", *islice(inherited, _INHERITED)


def _blame(one: Result, folder: Path, advice: Advice) -> list[object] | None:
    """What `repro` found in it, and the command that shows the part that is to blame."""
    try:
        found = read_reduced(folder, one.identity)
    except RecordError:  # a reproducer is no record, and the page is whole without it
        return None
    if found is None:
        return None
    again = advice.command("repro", place_of(folder) + found.directory)
    told = [clean(sentence) for sentence in found.sentences]
    return [found.ops, found.of, int(found.minimal), told, clean(again)]


def _message(record: TestRecord) -> str:
    return clean(record.failure.message) if record.failure else ""


def _failure(record: TestRecord, links: Mapping[str, str], store: ArtifactStore | None) -> object:
    failure = record.failure
    if failure is None:
        return None
    text = failure.diagnostic
    frame = _frame(record.outcome, text, store) if text and store else ""
    stage = failure.stage.value if failure.stage else ""
    kept = [_kept(text, links)] if text else []
    return [stage, clean(failure.kind), clean(failure.message), kept, clean(frame)]


def _frame(outcome: Outcome, text: Artifact, store: ArtifactStore) -> str:
    if outcome not in _STACKS or text.size > _LARGEST_STACK:
        return ""
    try:
        return innermost_own_frame(store.get(text).decode("utf-8", "replace"))
    except RecordError:  # it is a loss, which the artifacts' pages tell of
        return ""


def _kept(artifact: Artifact, links: Mapping[str, str]) -> list[object]:
    """What it is called, its size, and where it can be read; nowhere: an empty address."""
    address = links.get(artifact.sha256, "")
    return [clean(artifact.level), numbers.size_text(artifact.size), address]


def _stage(stage: StageResult, links: Mapping[str, str]) -> list[object]:
    """Index, whether it came back well, seconds, processor seconds, MiB, then what is rare."""
    peak = None if stage.peak_rss is None else stage.peak_rss / _MIB
    found: list[object] = [
        _STAGES.index(stage.stage),
        int(stage.ok),
        short(stage.wall_s, 3),
        short(stage.cpu_s, 2),
        short(peak, 3),
    ]
    if stage.artifacts or stage.attributes:
        found.append([_kept(artifact, links) for artifact in stage.artifacts])
        found.append([[clean(k), clean(v)] for k, v in stage.attributes.items()])
    return found


def _outputs(outputs: Sequence[OutputCheck]) -> list[object]:
    """Those that do not hold first; of many the first, and at last how many more there are."""
    order = sorted(outputs, key=lambda output: output.ok)
    found: list[object] = [
        [
            clean(output.path),
            "x".join(map(str, output.shape)) or "scalar",
            clean(output.dtype),
            [_check(check) for check in output.checks],
            output.golden_nonfinite,
            output.actual_nonfinite,
        ]
        for output in order[:_MOST_OUTPUTS]
    ]
    return [*found, len(order) - _MOST_OUTPUTS] if len(order) > _MOST_OUTPUTS else found


def _check(check: Check) -> list[object]:
    measured = numbers.metric_cell(check.measured)
    if check.metric == "pcc":
        shown: object = numbers.pcc_text(check.measured)
    else:
        shown = short(measured, 4) if isinstance(measured, float) else measured
    flags = int(check.ok) + 2 * int(check.asserted)
    return [clean(check.metric), shown, check.required, flags, clean(check.reason)]


def _verdict(verdict: TestVerdict) -> dict[str, object]:
    """What the night says of the test, beside its judgement."""
    found: dict[str, object] = {
        "baseline": verdict.baseline.value if verdict.baseline else "",
        "settled": verdict.settled,
        "since": _moment(verdict.since.until) if verdict.since else None,
        "first_bad": _moment(verdict.first_bad),
        "last_good": _moment(verdict.last_good),
        "streak": verdict.streak,
        "flips": verdict.flips,
        "uncounted": [[clean(why), count] for why, count in verdict.uncounted.items()],
        "drifts": [
            [d.kind.value, short(d.before, 6), short(d.now, 6), [clean(n) for n in d.names]]
            for d in verdict.drifts
        ],
        "elsewhere": [clean(device) for device in verdict.works_elsewhere],
        "changes": [_change(change) for change in verdict.changes],
        "gating": verdict.gating,
    }
    return {name: value for name, value in found.items() if value}


def _change(change: Change) -> list[str]:
    return [clean(part) for part in (change.kind, change.name, change.before, change.after)]


def _moment(moment: Moment | None) -> list[object] | None:
    return [clean(moment.run), round(moment.at)] if moment else None


def _facts(run: RunSummary, one: Result, command: str) -> list[list[str]]:
    record = one.record
    made = run.header.provenances.get(record.provenance)
    facts = [
        ("model", record.model_name),
        ("parameters", f"{record.parameters:,}" if record.parameters is not None else ""),
        ("depth asked for", record.depth),
        ("model status", record.model_status.value),
        *((f"worst {m.title}", _worst(record, m.name)) for m in titled()),
        *estimates.facts(record.estimate),
        ("peak memory", numbers.size_text(record.peak_rss)),
        ("started", numbers.moment_text(record.started)),
        ("attempt", str(record.attempt) if one.earlier or record.attempt > 1 else ""),
        ("group", record.model_group),
        ("host", made.host if made else ""),
        ("op", "" if record.only_op is None else f"only op {record.only_op}"),
        ("pytest id", "" if command or one.good else record.nodeid),
    ]
    return [[name, clean(value)] for name, value in facts if value]


def _worst(record: TestRecord, name: str) -> str:
    metric = record.metric(name)
    if name == "pcc":
        return numbers.pcc_text(metric)
    value = numbers.metric_cell(metric)
    return f"{value:.4g}" if isinstance(value, float) else numbers.metric_text(metric)
