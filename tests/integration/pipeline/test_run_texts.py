# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A night of tests whose words cannot be written keeps every test, its session and its report."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import Outcome
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.finish import finish_runs
from bringup.reports.cli import main as reports
from tests.integration.small_fleet import ENVIRONMENT, REPOSITORY, SmallFleet
from tests.unit.reports.html.unpacked import details, texts

BODY = r"""
import warnings
import torch
S = b"mod\xe8le".decode("utf-8", "surrogateescape")
LONG = pytest.mark.parametrize("x", [1], ids=["z" * 260])
class Unset(Exception):
    def __str__(self): return self.nothing
class Unshown:
    def __repr__(self): raise RuntimeError
    def __eq__(self, other): return False
class Foreign(Exception):
    kind = 3
@full
def test_begin(flow): pass
@full
def test_surrogate(flow): raise ValueError(f"cannot load {S}")
@full
def test_unset(flow): raise Unset("bad op")
@full
def test_group(flow): raise ExceptionGroup(S, [Unset("a"), ValueError("x\0y")])
@full
def test_compared(flow): assert Unshown() == S
@full
def test_foreign(flow): raise Foreign("f")
@full
def test_huge(flow): raise ValueError("x" * 20_000_000)
@full
def test_printed(flow):
    os.write(1, b"\xff\xfe\x00"); sys.stdout.write("ok"); raise ValueError(S)
@full
def test_warned(flow): warnings.warn(S)
@full
def test_recorded(flow, record_property):
    record_property(S, Unshown()); record_property("t", torch.ones(2))
@full
def test_skipped(flow): pytest.skip(S)
@LONG
@full
def test_long(flow, x): raise ValueError(S)
@pytest.mark.parametrize("x", ["\udc80", "a\0b"])
@full
def test_param(flow, x): raise ValueError("p")
@full
def test_end(flow): pass
"""
BROKEN = r"""
class Unset(Exception):
    def __str__(self): return self.nothing
raise Unset(b"mod\xe8le".decode("utf-8", "surrogateescape"))
"""
GOOD = {"begin", "end", "warned", "recorded"}
"""Their models; `skipped` is skipped, and all others failed."""


def test_a_night_keeps_every_test_and_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_words", BODY)
    fleet.file("test_import", BROKEN)
    code, said = fleet.run("run", "tests/models/test_words.py", "--device", "cpu")
    assert code == 1, said
    assert "Unset" in said and "tests/models/test_import.py cannot be collected" in said
    records = {r.identity: r for r in fleet.records()}
    assert len(records) == 15
    for identity, record in records.items():
        wanted = Outcome.PASSED if identity.model in GOOD else Outcome.FAILED
        assert record.outcome is (Outcome.SKIPPED if identity.model == "skipped" else wanted)
        if record.failure and record.failure.diagnostic:
            assert ArtifactStore(fleet.output).get(record.failure.diagnostic)
    log = (fleet.output / "pytest.log").read_text(errors="replace")
    assert "INTERNALERROR" not in log and "replacing crashed worker" not in log
    monkeypatch.chdir(tmp_path)
    assert reports(["build", "out"]) == 0
    shown = texts(details((fleet.output / "index.html").read_text()))
    assert r"mod\udce8le" in shown and "z" * 260 in shown


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_plain_pytest_keeps_them_too(tmp_path: Path, options: tuple[str, ...]) -> None:
    fleet = SmallFleet(tmp_path)
    path = fleet.file("test_words", BODY)
    plugins = ("-p", "xdist", "-p", "bringup.harness.pytest_plugin", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", path, "-q", *plugins, *options],
        cwd=tmp_path,
        env=os.environ | ENVIRONMENT | {"BRINGUP_RUN_DIR": "out"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1 and b"INTERNALERROR" not in done.stdout
    assert b"10 failed, 4 passed, 1 skipped" in done.stdout, done.stdout[-3000:]
    finish_runs([fleet.output], Speaker(sys.stdout))
    assert len(load_journals(fleet.output)[0]) == 15


CHDIR = """
import os, pytest, tempfile, torch
from bringup import ModelTester
class Gone(ModelTester):
    def _load_model(self):
        os.chdir(tempfile.mkdtemp())
        return torch.nn.Linear(2, 2)
    def _load_inputs(self):
        return torch.ones(1, 2)
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("mode", ["full-eval"])
def test_gone(mode, early):
    if early:
        os.chdir(tempfile.mkdtemp())
    tester = Gone("gone", "eval")
    tester.test_model()
    tester.finalize()
"""


@pytest.mark.parametrize("run_dir", ["out", None])
def test_a_test_that_goes_elsewhere_keeps_its_texts(tmp_path: Path, run_dir: str | None) -> None:
    (tmp_path / "test_gone.py").write_text(CHDIR)
    named = {"BRINGUP_RUN_DIR": run_dir, "BRINGUP_CACHE": "cache"} if run_dir else {}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "test_gone.py", "-q", "-p", "no:cacheprovider"),
            *("-p", "bringup.harness.pytest_plugin"),
        ],
        cwd=tmp_path,
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)} | named,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    (found,) = [tmp_path / "out"] if run_dir else (tmp_path / "results").iterdir()
    records, _, losses = load_journals(found)
    assert [r.outcome for r in records] == [Outcome.PASSED] * 2 and not losses
    kept = [artifact for r in records for stage in r.stages for artifact in stage.artifacts]
    assert len(kept) > 5 and all(ArtifactStore(found).get(artifact) for artifact in kept)
