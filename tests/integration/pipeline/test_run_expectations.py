# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What entries of lists expect, from the plan to the exit code, by the real command line."""

import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from bringup.harness.records.schema import Outcome
from bringup.pipeline.lists.specs import NIGHTLY_FULL
from tests.integration.small_fleet import SmallFleet, finish

ISSUE = "https://example.com/issues/7"
BODIES = {
    "good": "pass",
    "known": "raise ValueError('no lowering of stablehlo.fft')",
    "other": "raise ValueError('no room in L1')",
    "fixed": "pass",
    "killer": "os.kill(os.getpid(), signal.SIGKILL)",
    "gone": "os.kill(os.getpid(), signal.SIGKILL)",
}
XFAIL = {
    "expect": "xfail",
    "fingerprint": "1|||no lowering of stablehlo.fft",
    "reason": "no fft yet",
}
SAID: dict[str, dict[str, str]] = {
    "good": {},
    "known": XFAIL,
    "other": XFAIL,
    "fixed": XFAIL,
    "killer": {"expect": "skip", "reason": "kills the card", "issue": ISSUE, "owner": "@ada"},
    "gone": {"expect": "exclude", "reason": "too large for it"},
}


def entry(name: str, **fields: str) -> str:
    test = f"tests/models/test_{name}.py::test_{name}[full-eval]"
    said = ", ".join(f"{k} = {json.dumps(v)}" for k, v in {"test": test, **fields}.items())
    return f"{{ {said} }}" if fields else json.dumps(test)


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    for name, body in BODIES.items():
        fleet.file(f"test_{name}", f"@full\ndef test_{name}(flow): {body}\n")
    lines = "".join(f"  {entry(name, **said)},\n" for name, said in SAID.items())
    path = tmp_path / "tests/lists" / NIGHTLY_FULL.file_name
    path.write_text(f"[cpu]\ntests = [\n{lines}]\n")
    return fleet


def key(name: str) -> str:
    return f"{name}[full-eval]@cpu"


def test_a_night_of_entries_that_expect_something(fleet: SmallFleet) -> None:
    code, said = fleet.run("nightly")
    assert code == 1, said
    assert "excluded: tests/models/test_gone.py::test_gone[full-eval] on cpu: too large" in said
    assert f"unexpected pass: PASSED {key('fixed')}: expected to fail: no fft yet" in said
    assert f"FAILED {key('other')}: " in said and "another failure than the expected one" in said
    assert f"expected failure: {key('known')}: no fft yet" in said
    assert f"skipped: {key('killer')}: kills the card ({ISSUE})" in said
    assert "3 of 5 tests did what was promised (2 PASSED, 1 SKIPPED, 2 FAILED)" in said, said
    records = {r.identity.key: r for r in fleet.records()}
    assert records[key("killer")].outcome is Outcome.SKIPPED
    failure = records[key("killer")].failure
    assert failure is not None and failure.message.startswith(f"kills the card ({ISSUE}); @ada")
    cases = {
        case.name.partition("[")[0].rpartition("_")[2]: case.result
        for suite in JUnitXml.fromfile(str(fleet.output / "junit.xml"))
        for case in suite
    }
    assert {name: [type(r).__name__ for r in found] for name, found in cases.items()} == {
        "good": [],
        "known": ["Skipped"],
        "other": ["Failure"],
        "fixed": ["Failure"],
        "killer": ["Skipped"],
    }


def named(fleet: SmallFleet, *models: str) -> tuple[int, str]:
    chosen = [word for model in models for word in ("--model", model)]
    return fleet.run("run", *chosen, output=fleet.root / "-".join(models))


def test_tests_named_by_hand_are_held_to_it_too(fleet: SmallFleet) -> None:
    code, said = named(fleet, "killer", "known", "gone")
    assert code == 0 and "excluded: " in said, said
    assert fleet.outcomes(fleet.root / "killer-known-gone") == {
        key("killer"): Outcome.SKIPPED,
        key("known"): Outcome.FAILED,
    }
    code, said = named(fleet, "gone")
    assert code == 2 and "excluded: " in said and "there is nothing to run" in said, said
    (fleet.root / "tests/lists" / NIGHTLY_FULL.file_name).write_text("[cpu]\ntests = [\n7,\n]\n")
    code, said = named(fleet, "known")
    assert code == 1 and "is `7`, not a pytest id; what lists expect" in said, said


def test_shards_are_held_to_it_and_the_merge_says_so(fleet: SmallFleet) -> None:
    words = ("plan", "--shards", "2", "--devices-from", "devices.json", "--output", "plan.json")
    code, said = finish(fleet.start_plain(*words))
    assert code == 0, said
    codes = [
        fleet.run(
            "nightly", "--plan", "plan.json", "--shard", f"{i}/2", output=fleet.root / f"s{i}"
        )
        for i in (1, 2)
    ]
    assert 1 in {code for code, _ in codes} <= {0, 1}, codes
    code, said = finish(fleet.start_plain("merge", "s1", "s2", "--into", "night"))
    assert code == 0, said
    xml = (fleet.root / "night/junit.xml").read_text()
    assert "unexpected pass: expected to fail: no fft yet" in xml
    assert "expected failure: no fft yet" in xml and "skipped: kills the card" in xml
