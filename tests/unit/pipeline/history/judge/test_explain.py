# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bringup.harness.records.night import NIGHT_SCHEMA, read_night, write_night
from bringup.pipeline.errors import HistoryError
from bringup.pipeline.history.causes.clusters import Failing, cluster
from bringup.pipeline.history.causes.fix_first import blocked_by, fix_first
from bringup.pipeline.history.judge.columns import columns_of
from bringup.pipeline.history.judge.explain import (
    compare,
    compared,
    explain,
    with_causes,
)
from bringup.pipeline.history.judge.verdict import Tonight, judge, verdict_of
from bringup.pipeline.history.samples import Sample
from tests.unit.pipeline.history.judge.made_series import TEST, nights

GOOD, KNOWN, FLAKY, FIXED = (f"{m}[full-eval]@cpu" for m in ("vit", "t5", "gpt", "yolo"))
LETTERS = {
    TEST: "." * 15 + "i" + "FFF",
    GOOD: "." * 19,
    KNOWN: "F" * 19,
    FLAKY: "." * 17 + "F.",
    FIXED: "F" * 18 + ".",
}


def samples(**fields: Any) -> list[Sample]:
    return [s for test, letters in LETTERS.items() for s in nights(letters, test, **fields)]


def test_the_head_sentence_counts_what_the_counts_count() -> None:
    verdict = judge(columns_of(samples()), Tonight(run="n16"))
    assert verdict.head == "1 new, 2 known; first: bert[full-eval]@n150, suspected"
    assert verdict.counts == {"suspected": 1, "known": 2, "good": 2}
    verdict = judge(columns_of(samples()), Tonight(run="n18"))
    assert verdict.head == "0 new, 2 known, 1 fixed, 1 flaky"
    assert verdict.counts == {"flake": 1, "fixed": 1, "known": 2, "good": 1}
    assert sum(verdict.counts.values()) == len(LETTERS)


def test_a_test_that_the_other_run_left_out_was_not_absent() -> None:
    """A budgeted run is no proof that a failure is new."""
    both = [*nights("..", GOOD), *nights(" F")]
    verdict = judge(columns_of(both), Tonight(run="n1", baseline="n0"))
    assert compared(verdict)[1:] == [f"new {TEST}: absent -> FAILED"]
    assert compared(verdict, {TEST})[1:] == [f"new {TEST}: left out by its budget -> FAILED"]


def test_a_run_is_told_against_any_other() -> None:
    assert compare(columns_of(samples()), "n2", "n18") == [
        "n18 against 1970-01-03 00:00 UTC (n2): 1 new, 1 known, 1 fixed; first: "
        "bert[full-eval]@n150, regression",
        "regression bert[full-eval]@n150: PASSED -> FAILED",
        "fixed yolo[full-eval]@cpu: FAILED -> PASSED",
    ]
    assert compare(columns_of(samples()), "n2", "n3") == [
        "n3 against 1970-01-03 00:00 UTC (n2): 0 new, 2 known"
    ]


def test_a_run_that_history_does_not_know_is_one_sentence() -> None:
    for pair in (("n2", "nope"), ("nope", "n2")):
        with pytest.raises(HistoryError, match="history knows no run nope"):
            compare(columns_of(samples()), *pair)


def test_a_tests_story_is_ten_lines() -> None:
    versions = {"a": {"packages": {"torch": "2.12"}}, "b": {"packages": {"torch": "2.13"}}}
    given = [
        msgspec.structs.replace(s, versions="a" if s.at < 15 * 86400.0 else "b") for s in samples()
    ]
    causes = cluster([Failing(TEST, "n150", "compile", "no such tile")]).clusters
    found = explain(columns_of(given), TEST, Tonight(run="n18", versions=versions), causes)
    assert found == [
        "bert[full-eval]@n150: known",
        "tonight     FAILED in compile",
        "since       after 1970-01-07 00:00 UTC (n6), by 1970-01-18 00:00 UTC (n17) (99 %)",
        "last good   1970-01-15 00:00 UTC (n14), first bad 1970-01-17 00:00 UTC (n16)",
        "streak      3 nights, 1 flip in the last 30: [...............xFFF]",
        "counted     18 nights; not counted: 1 machine",
        "drift       none",
        "changed     torch 2.12 -> 2.13",
        "cause       no such tile (1 test)",
        "again       nox -s run -- 'tests/models/m/test_m.py::test_bert[full-eval]' --device n150",
    ]


def test_a_single_tests_samples_are_enough_for_its_story() -> None:
    tonight = Tonight(run="n18")
    alone = verdict_of(columns_of(nights(LETTERS[TEST])), TEST, tonight)
    assert alone == verdict_of(columns_of(samples()), TEST, tonight) is not None
    assert explain(columns_of(samples()), "nobody@cpu", tonight) == [
        "history knows no test nobody@cpu"
    ]
    good = explain(columns_of(samples()), GOOD, tonight)
    assert good[0] == "vit[full-eval]@cpu: good" and "first bad never" in good[3]


def test_a_night_is_written_with_its_causes_and_told_again_from_the_file(tmp_path: Path) -> None:
    failures = [Failing(TEST, "n150", "compile", "no such tile")]
    found = cluster(failures)
    verdict = with_causes(
        judge(columns_of(samples()), Tonight(run="n18")),
        found,
        fix_first(blocked_by(failures, found)),
    )
    write_night(tmp_path, verdict)
    read = read_night(tmp_path)
    assert read == verdict and read.schema == NIGHT_SCHEMA
    assert compared(read) == compared(verdict)
    assert {t.test: t.cluster for t in read.tests}[TEST] == read.clusters[0].id
    assert read.fix_first[0].fixes[0].causes == (read.clusters[0].id,)
