# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`promote` on a made history, as somebody calls it."""

import io
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.fingerprint import fingerprint
from bringup.harness.records.naming import nodeid_on
from bringup.harness.records.schema import Check, Metric, Outcome, Plan, PlannedTest
from bringup.pipeline import promote_command
from bringup.pipeline.history.store.history import History
from bringup.pipeline.lists.specs import NIGHTLY_FULL, SHIPPED
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.promotion.policy import default_policy
from tests.unit import run_builder as made

NIGHTS = default_policy().thresholds.nights
ISSUE = "https://example.com/issues/7"
FOLDER = "tests/models/net"


def entry(model: str) -> str:
    return f"{FOLDER}/test_{model}.py::test_{model}[full-eval]"


def test_thresholds_know_what_is_expected_and_what_is_tracked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mark = fingerprint("execute", "", "device says no")
    said = f'expect = "xfail", stage = "execute", fingerprint = "{mark}", reason = "r"'
    off = f'disabled = "pcc", issue = "{ISSUE}"'
    entries = [
        f'{{ test = "{entry("mended")}", {said} }}',
        f'{{ test = "{entry("low")}", {off} }}',
        f'"{entry("untracked")}"',
    ]
    lists = tmp_path / "lists"
    lists.mkdir()
    for spec in SHIPPED:
        (lists / spec.file_name).write_text("")
    listed = ",\n  ".join(entries)
    (lists / NIGHTLY_FULL.file_name).write_text(f"[cpu]\ntests = [\n  {listed},\n]\n")
    (tmp_path / "tests" / "models").mkdir(parents=True)
    history = History("results/history")
    for night in range(NIGHTS):
        records = []
        for model, pcc in (("mended", 0.95), ("low", 0.8), ("untracked", 0.8)):
            test = made.identity(model, "cpu")
            good = pcc > 0.9
            check = Check("pcc", Metric.of(pcc), 0.9, good, True, "")
            output = msgspec.structs.replace(made.output(), checks=(check,))
            outcome = Outcome.PASSED if good else Outcome.INCORRECT
            nodeid = nodeid_on(entry(model), "cpu")
            records.append(made.record(test, outcome, outputs=(output,), nodeid=nodeid))
        created = made.STARTED + 86400 * night
        tests = tuple(
            PlannedTest(r.identity, r.nodeid, NIGHTLY_FULL.name, entry=entry(r.identity.model))
            for r in records
        )
        plan = Plan(run_id=f"n{night}", created=created, session="nightly", tests=tests, total=3)
        run_dir = made.write_run(tmp_path / f"n{night}", records, plan=plan, created=created)
        history.add(run_dir)
    told = io.StringIO()
    options = RunOptions(session="promote", lists=lists, run_dir=run_dir)
    promote_command.promote(options, Speaker(told))
    kinds = {line.split()[0]: line for line in told.getvalue().splitlines() if "_" in line[:11]}
    assert 'mended[full-eval]@cpu (float32): expect = "pass"' in kinds["REMOVE_XFAIL"]
    assert f"required_pcc=0.6  # {ISSUE}" in kinds["LOWER_PCC"], kinds
    assert "low[full-eval]@cpu" in kinds["LOWER_PCC"] and "untracked" not in kinds["LOWER_PCC"]
