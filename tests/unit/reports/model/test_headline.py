# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The night in plain words, the lines of devices, and where a crash was in the user's own code."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_

from bringup.harness.records.night import (
    NIGHT_SCHEMA,
    Cluster,
    Fix,
    FixList,
    Judgement,
    Moment,
    NightVerdict,
    TestVerdict,
)
from bringup.harness.records.schema import Outcome, Status
from bringup.harness.records.trends import NO_EVIDENCE, TRENDS_SCHEMA, Trends
from bringup.reports.build import load
from bringup.reports.model import changes
from bringup.reports.model.frames import innermost_own_frame
from bringup.reports.model.headline import headline
from bringup.reports.model.past import device_lines
from bringup.reports.model.run import RunSummary
from tests.unit.run_builder import identity, record, write_run

TONIGHT, BEFORE = Moment("n1", 86400.0), Moment("n0", 0.0)
SCATTER = Cluster(
    id="s", name="scatter", models=("t5", "vit"), devices=("n150",), first_seen=TONIGHT
)
ALSO = Cluster(id="also", name="gather", tests=("x@n150",), first_seen=TONIGHT)
ELSEWHERE = Cluster(id="e", name="sort", tests=("y@n150",), first_seen=TONIGHT)
FFT = Cluster(
    id="f", name="fft", devices=("a", "b", "c", "d", "e"), tests=("x",), first_seen=BEFORE
)


def told(judgement: Judgement, cluster: str = "", device: str = "n150") -> TestVerdict:
    return TestVerdict(test=f"x@{device}", device=device, judgement=judgement, cluster=cluster)


def night(*tests: TestVerdict, **fields: object) -> NightVerdict:
    counts: dict[Judgement, int] = {}
    for test in tests:
        counts[test.judgement] = counts.get(test.judgement, 0) + 1
    values = {"baseline": BEFORE, "clusters": (SCATTER, FFT)} | fields
    return NightVerdict(
        schema=NIGHT_SCHEMA, run="n1", at=86400.0, counts=counts, tests=tests, **values
    )  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> RunSummary:
    return load(write_run(tmp_path, [record(), record(identity("vit"), Outcome.FAILED)]))


def said(run: RunSummary, verdict: NightVerdict | None) -> str:
    return " ".join(one.text for one in headline(replace(run, night=verdict)))


@pytest.mark.parametrize(
    ("verdict", "wanted"),
    [
        (night(), "Nothing new is broken."),
        (night(baseline=None), "Nothing is broken."),
        (night(told(Judgement.REGRESSION, "s")), "Worse: 1 new cause breaks 1 test."),
        (
            night(told(Judgement.NEW, "s"), told(Judgement.SUSPECTED, "f")),
            "Worse: 2 tests are newly bad, 1 new cause among the reasons.",
        ),
        (
            night(told(Judgement.NEW, "s"), clusters=(SCATTER, ALSO, ELSEWHERE)),
            "Worse: 2 new causes break 1 test.",
        ),
        (night(told(Judgement.NEW), baseline=None), "1 test is newly bad."),
        (
            night(told(Judgement.KNOWN, "f"), told(Judgement.KNOWN, "f"), told(Judgement.FIXED)),
            "Nothing new is broken. 1 fixed. 2 bad as before (1 cause).",
        ),
        (
            night(told(Judgement.KNOWN, "f"), told(Judgement.KNOWN, "s")),
            "Nothing new is broken. 2 bad as before (2 causes, 1 of them new).",
        ),
        (
            night(told(Judgement.KNOWN, "s")),
            "Nothing new is broken. 1 bad as before (1 cause, new tonight).",
        ),
        (
            night(told(Judgement.KNOWN, "f"), clusters=(FFT, ALSO, ELSEWHERE)),
            "Nothing new is broken. 1 bad as before (2 causes, 1 of them new).",
        ),
        (
            night(told(Judgement.DEVICE, device="n300"), told(Judgement.FLAKE)),
            "Nothing new is broken. Device trouble: 1 test on n300. 1 flaky.",
        ),
        (
            night(told(Judgement.MISSING), told(Judgement.MISSING, device="cpu")),
            "Nothing new is broken. 2 tests that ran before did not run.",
        ),
        (
            night(mass_failures=("n300",)),
            "Nothing new is broken. Nearly all failed on n300: no evidence of any test there.",
        ),
    ],
)
def test_a_night_is_told_in_plain_words(
    run: RunSummary, verdict: NightVerdict, wanted: str
) -> None:
    assert said(run, verdict) == wanted


def test_a_run_that_nobody_judged_says_so(run: RunSummary) -> None:
    assert said(run, None).startswith("1 of 2 tests needs attention. Nobody judged this run")


def test_where_and_what_to_fix_are_a_few_words() -> None:
    said = [(cause.flag, cause.where, cause.since) for cause in changes.causes(night())]
    assert said[0] == ("NEW", "2 models on n150", "since tonight")
    assert said[1] == ("KNOWN", "1 test on 5 devices", "since 1 Jan 1970")
    broad = replace_(SCATTER, tests=("a", "b", "c"), devices=("n150", "n300"))
    only_ops = replace_(SCATTER, models=(), devices=(), ops=1)
    wheres = [changes.Cause(True, c, "").where for c in (broad, only_ops)]
    assert wheres == ["3 tests of 2 models on n150, n300", "1 op"]
    fixes = (
        Fix(causes=("s", "f"), advances=("a", "b"), frees=1),
        Fix(causes=("s",), advances=("a",), frees=1),
        Fix(causes=("gone",), advances=("a", "b"), frees=0),
    )
    assert list(changes.fix_first(night(fix_first=(FixList(fixes=fixes),)))) == [
        "scatter and fft: 2 tests get further, 1 of them has nothing else in the way",
        "scatter: 1 test gets further and has nothing else in the way",
        "gone: 2 tests get further",
    ]


def test_the_lines_of_a_device_are_the_shares_of_its_evidence() -> None:
    passed, failed, reached, infra = (
        list(Outcome).index(o) + 1
        for o in (Outcome.PASSED, Outcome.FAILED, Outcome.REACHED, Outcome.INFRA)
    )
    ran, compiled, front = Status.EXECUTED, Status.CONVERTED_TO_TTNN, Status.CONVERTED_TO_STABLE_HLO
    trends = Trends(
        schema=TRENDS_SCHEMA,
        run="n1",
        nights=(BEFORE, TONIGHT),
        tests=("a@n150", "b@n150", "c@cpu"),
        outcomes=tuple(Outcome),
        outcome=bytes([passed, failed, passed, reached, infra + NO_EVIDENCE, 0]),
        status=bytes([ran, front, ran, compiled, 0, 0]),
        pcc=bytes(24),
        seconds=bytes(24),
        memory=bytes(24),
    )
    compiled_line, executed, good = device_lines(trends, "n150", "n0")
    assert (compiled_line.percent, compiled_line.change) == ((100.0, 50.0), -50.0)
    assert (executed.percent, executed.change) == ((100.0, 0.0), -100.0)
    assert (good.percent, good.change) == ((100.0, 50.0), -50.0)
    only = device_lines(trends, "", "n0", {"n150"})[1]  # what never runs is not missed
    assert (only.percent, only.change) == ((None, None), None)
    nothing = device_lines(trends, "cpu", "n0")
    assert {line.percent for line in nothing} == {(None, None)}
    assert {line.change for line in nothing} == {None}


STACK = """Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/env/lib/python3.11/site-packages/torch/nn/linear.py", line 134 in forward
  File "/home/me/fleet/tests/models/vit/test_vit.py", line 31 in _load_model
  File "/home/me/fleet/harness/tester.py", line 9 in test
"""
TRACEBACK = """Traceback (most recent call last):
  File "/home/me/mine/a.py", line 1, in <module>
  File "/home/me/mine/b.py", line 22, in inner
  File "/env/lib/python3.11/site-packages/torch/x.py", line 3, in forward
ValueError: no
"""


def test_of_a_stack_the_innermost_line_of_the_users_own_is_told() -> None:
    assert innermost_own_frame(STACK) == "tests/models/vit/test_vit.py:31 in _load_model"
    assert innermost_own_frame(TRACEBACK) == "/home/me/mine/b.py:22 in inner"
    assert innermost_own_frame("error: failed to legalize operation") == ""
