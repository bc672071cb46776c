# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup history`: what a person types, and what it says."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bringup.harness.records.schema import Outcome
from bringup.pipeline.cli import main
from bringup.pipeline.history.store.history import History
from bringup.pipeline.results.junit import write_junit
from tests.unit import run_builder as made
from tests.unit.file_server import FileServer, whole
from tests.unit.pipeline.history.imports.test_github import zipped
from tests.unit.pipeline.history.store.made_runs import night

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRINGUP_HISTORY", "kept")

    def say(*words: str) -> tuple[int, str]:
        code = main(["history", *words])
        out, err = capsys.readouterr()
        return code, out + err

    return say


def test_runs_are_added_verified_and_forgotten(say: Say, tmp_path: Path) -> None:
    for n in range(3):
        code, said = say("add", str(night(tmp_path / "results", n)))
        assert (code, f"nightly-00{n} of " in said) == (0, True)
    code, said = say("verify")
    assert code == 0 and said.startswith("3 runs, ") and said.endswith("all as written: kept\n")
    code, said = say("rebuild", "results", "--history", "other")
    assert (code, said) == (0, "3 runs in the history at other\n")
    code, said = say("prune", "--days", "0.001")
    assert code == 0 and said.splitlines()[-1] == "1 run left in the history at kept"


def test_what_is_torn_is_said_and_mended(say: Say, tmp_path: Path) -> None:
    say("add", str(night(tmp_path / "results", 0)))
    torn = next((tmp_path / "kept" / "data").iterdir())
    torn.write_bytes(b"PAR1")
    code, said = say("verify")
    assert code == 3 and torn.name in said
    assert say("rebuild") == (0, "1 run in the history at kept\n")
    assert say("verify")[0] == 0


def test_reports_of_others_are_added(say: Say, tmp_path: Path) -> None:
    write_junit(tmp_path / "junit.xml", [made.record(outcome=Outcome.FAILED)])
    assert say("add", "junit.xml")[0] == 0
    ops = {"a": {"framework_op_name": "aten.add", "compilation_status": 7}}
    (tmp_path / "T5_unique_ops.json").write_bytes(msgspec.json.encode(ops))
    assert say("add", "T5_unique_ops.json", "--device", "n300")[0] == 0
    assert sorted(run.source for run in History("kept").runs()) == ["junit", "unique_ops"]


def test_a_run_of_github_is_added(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = FileServer()
    monkeypatch.setenv("GITHUB_API_URL", server.address)
    path = write_junit(tmp_path / "junit.xml", [made.record()])
    server.paths["/zip"] = whole(zipped(**{"deep/junit.xml": path.read_bytes(), "b.xml": b"no"}))
    listed = {"id": 1, "name": "x", "archive_download_url": f"{server.address}/zip"}
    page = msgspec.json.encode({"total_count": 1, "artifacts": [listed]})
    server.paths["/repos/o/n/actions/runs/7/artifacts"] = whole(page)
    code, said = say("add", "github:o/n/7")
    server.shutdown()
    assert code == 0 and "not added: " in said and len(History("kept").runs()) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add",), "needs a run directory"),
        (("add", "nowhere"), "there is no run directory or file nowhere"),
        (("rebuild", "nowhere"), "there is no folder nowhere"),
        (("add", "none_unique_ops.json"), "add --device NAME"),
        (("verify", "x"), "takes no `x`"),
        (("verify", "--history", "nothing"), "there is no history at nothing"),
        (("prune", "--days", "-1"), "expected a number above 0"),
        (("prune", "--gib", "nan"), "expected a number above 0"),
        (("verify", "--history", "nonsense://x"), "is no address of a history"),
        (("forget",), "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(say: Say, words: tuple[str, ...], why: str) -> None:
    code, said = say(*words)
    assert code == 2 and why in said and said.count("\n") == 1
