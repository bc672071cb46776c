# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every op of every test as columns: 200,000 of them are half a megabyte of the page.

A row is an op of a test. Many rows have one verdict, out of the cache or of the same walk, so what
came of an op is in columns of their own, with one entry a verdict.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bringup.harness.records.door import program
from bringup.harness.records.outcomes import is_blocking
from bringup.harness.records.reproducible import KEY_DIGITS, device_in_name
from bringup.harness.records.schema import GOOD, Metric, MetricState, Op, OpResult, OpVerdict
from bringup.harness.records.trends import Trends
from bringup.reports.html.grid_data import OUTCOMES, Grid
from bringup.reports.html.pack import Pack, Words, from_one, steps
from bringup.reports.model.op_results import (
    attributes_text,
    compared_with,
    failure_line,
    seconds_of,
    shapes_text,
)
from bringup.reports.model.ops import ModelOps
from bringup.reports.model.run import Result
from bringup.reports.text.numbers import size_text
from bringup.reports.text.untrusted import clean

_LINE = 300
_TEXT = 300
"""Characters of a failure, and of shapes or attributes, that the page shows."""
_CODES = {outcome: at for at, outcome in enumerate(OUTCOMES)}


def ops_block(
    models: Sequence[ModelOps],
    devices: Sequence[str],
    grid: Grid,
    links: Mapping[str, str],
    trends: Trends | None = None,
) -> str:
    """The ops of all tests, those of a test together; with the nights of each name."""
    places = {c.identity.planned: at for at, c in enumerate(grid.cells) if isinstance(c, Result)}
    verdicts = _Verdicts(links)
    verdict: list[int] = []
    index: list[int] = []
    count: list[int] = []
    cached: list[int] = []
    tests: list[tuple[int, int, int, int, str, str]] = []
    for model in models:
        place = places.get(model.identity.planned)
        if place is None or not model.ops:
            continue
        tests.append(
            (
                place,
                len(verdict),
                len(model.ops),
                model.found,
                clean(model.place),
                program("repro", model.advice.door),
            )
        )
        for result in model.ops:
            verdict.append(verdicts.code(result))
            index.append(min(max(result.index, 0), _MOST))
            count.append(min(max(result.count, 0), _MOST))
            cached.append(result.hit + result.rechecked)
    pack = Pack()
    columns = {"verdict": verdict, "index": index, "count": count, "cached": cached}
    for name, found in columns.items():
        pack.add(name, found)
    verdicts.add_to(pack)
    meta = {
        "tests": tests,
        "outcomes": [o.value for o in OUTCOMES],
        "isGood": [int(o in GOOD) for o in OUTCOMES],
        "files": [clean(device_in_name(device)) for device in devices],
        "past": _past(trends) if trends else {},
    }
    return pack.text(meta | verdicts.meta())


def _past(trends: Trends) -> dict[str, list[list[int]]]:
    """By name, of every night how many results ops of that name have, and how many are bad."""
    shape = (len(trends.ops), len(trends.nights))
    results = np.frombuffer(trends.op_results, "<u4").reshape(shape).tolist()
    bad = np.frombuffer(trends.op_bad, "<u4").reshape(shape).tolist()
    return {clean(n): [r, b] for n, r, b in zip(trends.ops, results, bad, strict=True)}


_MOST = 2**31


class _Verdicts:
    """What came of ops, each once."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links
        self._variants, self._lines, self._golden = _Variants(), Words(), Words()
        self._by_object: dict[int, int] = {}
        self._by_name: dict[tuple[str, str, float, str, str], int] = {}
        self._columns: dict[str, list[int]] = {name: [] for name in _COLUMNS}
        self._numbers: dict[str, list[float | None]] = {"pcc": [], "atol": [], "seconds": []}
        self._kept: dict[int, list[list[str]]] = {}

    def code(self, result: OpResult) -> int:
        """The verdict's position."""
        verdict = result.verdict
        known = self._by_object.get(id(verdict))  # lives as long as its result
        if known is not None:
            return known
        outcome = verdict.outcome.value
        name = (verdict.op.key, verdict.device, verdict.computed, verdict.origin, outcome)
        code = self._by_name.setdefault(name, len(self._by_name))
        self._by_object[id(verdict)] = code
        if code == len(self._numbers["pcc"]):
            self._add(result, verdict, code)
        return code

    def _add(self, result: OpResult, verdict: OpVerdict, code: int) -> None:
        line = failure_line(result)[:_LINE] if verdict.failure else ""
        values = (
            self._variants.code(verdict.op),
            _CODES[verdict.outcome],
            int(verdict.status),
            self._lines.code(line),
            int(is_blocking(result)),
            self._golden.code(clean(compared_with(result))[:_LINE]),
        )
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(value)
        self._numbers["pcc"].append(_value(verdict.pcc))
        self._numbers["atol"].append(_value(verdict.atol))
        self._numbers["seconds"].append(seconds_of(result))
        if kept := self._texts(verdict):
            self._kept[code] = kept

    def _texts(self, verdict: OpVerdict) -> list[list[str]]:
        """Kept texts of a verdict that have a page: level, size, address."""
        texts = [text for stage in verdict.stages for text in stage.artifacts]
        if verdict.failure and verdict.failure.diagnostic:
            texts.append(verdict.failure.diagnostic)
        return [
            [clean(text.level), size_text(text.size), self._links[text.sha256]]
            for text in texts
            if text.sha256 in self._links
        ]

    def add_to(self, pack: Pack) -> None:
        """The columns that have an entry a verdict."""
        for name, found in self._columns.items():
            pack.add(name, found)
        pcc = [np.nan if v is None else v for v in self._numbers["pcc"]]
        pack.add("pcc", from_one(np.array(pcc, np.float64)))
        pack.add("atol", steps(self._numbers["atol"]))
        pack.add("seconds", steps(self._numbers["seconds"]))

    def meta(self) -> dict[str, object]:
        """The words that the columns have positions of."""
        return {
            "names": self._variants.names.texts,
            "texts": self._variants.texts.texts,
            "variants": self._variants.rows,
            "lines": self._lines.texts,
            "goldens": self._golden.texts,
            "kept": self._kept,
        }


_COLUMNS = ("variant", "outcome", "status", "line", "blocks", "golden")


def _value(metric: Metric | None) -> float | None:
    known = metric is not None and metric.state is MetricState.VALUE
    return metric.value if known and metric else None


class _Variants:
    """Ops, each once: name, operands, results, attributes, the first digits of its key."""

    def __init__(self) -> None:
        self.names, self.texts = Words(), Words()
        self.rows: list[tuple[int, int, int, int, str]] = []
        self._codes: dict[str, int] = {}

    def code(self, op: Op) -> int:
        known = self._codes.get(op.key)
        if known is not None:
            return known
        text = (shapes_text(op.inputs), shapes_text(op.outputs), attributes_text(op))
        inputs, outputs, attributes = (self.texts.code(clean(t)[:_TEXT]) for t in text)
        name = self.names.code(clean(op.name))
        self.rows.append((name, inputs, outputs, attributes, clean(op.key[:KEY_DIGITS])))
        return self._codes.setdefault(op.key, len(self._codes))
