# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Commands on damaged directories: one sentence, an exit code that is not 0, nothing lost."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.run_dir import write_plan
from bringup.harness.records.schema import Outcome
from bringup.harness.repro import main as repro
from bringup.harness.reproduce.reproducer import read_bytes_of
from bringup.pipeline.cli import main as pipeline
from bringup.reports.cli import main as reports
from tests.unit import run_builder as made
from tests.unit.readers import _expected, _model, _run
from tests.unit.reports.html.unpacked import columns

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "nested": lambda data: b'{"schema":' + b"[" * 100_000,
    "noise": lambda data: bytes(range(256)) * 4,
    "empty": lambda data: b"",
    "a number": lambda data: b'{"schema": 1, "created": ' + b"9" * 5000 + b"}",
    "a bomb": lambda data: zstandard.compress(b"\0" * (600 << 20)),
}


def said(capsys: pytest.CaptureFixture[str], code: int) -> str:
    """The one sentence of a command that did not do what it was asked."""
    complaint = capsys.readouterr().err
    assert code in (2, 3), complaint
    assert complaint.count("\n") == 1 and len(complaint) < 1500, complaint
    return complaint


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    _run(tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["run.json", "records.jsonl.zst", "plan.json", "promotions.json"])
def test_a_report_of_a_damaged_run(
    run_dir: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str
) -> None:
    path = run_dir / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    before = contents(run_dir)
    if damage == "empty" and name == "records.jsonl.zst":
        path.write_bytes(zstandard.compress(b"x"))
        before = contents(run_dir)
    assert name in said(capsys, reports(["build", "run"]))
    assert contents(run_dir) == before


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_run_that_cannot_be_resumed_or_promoted(
    run_dir: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    for name in ("plan.json", "run.json"):
        path = run_dir / name
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
    before = contents(run_dir)
    assert "plan.json" in said(capsys, pipeline(["nightly", "--resume", "run"]))
    lists = str(Path(__file__).parents[1] / "lists")
    assert "run.json" in said(capsys, pipeline(["promote", "run", "--lists", lists]))
    assert contents(run_dir) == before


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_shard_that_is_all_damage_is_merged_as_a_loss(
    run_dir: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    test = made.identity("net")
    made.write_run(run_dir.parent / "good", [made.record(test)])
    for path in run_dir.rglob("*"):
        if path.is_file():
            path.write_bytes(DAMAGE[damage](path.read_bytes()))
    before = contents(run_dir)
    code = pipeline(["merge", "good", "run", "--into", "all"])
    out = capsys.readouterr()
    assert code != 0 and "missing: run: its plan is lost" in out.out and not out.err
    assert reports(["build", "all"]) == 0
    assert contents(run_dir) == before


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("record", [_expected, _model])
def test_a_damaged_reproducer(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    record: Callable[[], bytes],
    damage: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "run" / "repro" / "0123456789abcdef-cpu"
    folder.mkdir(parents=True)
    (folder / "expected.json").write_bytes(DAMAGE[damage](record()))
    assert "expected.json: not a reproducer's record" in said(capsys, repro([str(folder)]))
    assert "expected.json: not a reproducer's record" in said(capsys, repro(["0123456789abcdef"]))


def test_what_is_no_regular_file_is_not_waited_for(
    run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_dir / "run.json").unlink()
    os.mkfifo(run_dir / "run.json")
    assert "it is not a regular file" in said(capsys, reports(["build", "run"]))


@pytest.mark.parametrize("name", ["journal/z.jsonl", "plan.json"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_regular_file_is_not_gone_on_with(
    run_dir: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], name: str
) -> None:
    (run_dir / name).unlink(missing_ok=True)
    make(run_dir / name)
    assert "it is not a regular file" in said(capsys, pipeline(["nightly", "--resume", "run"]))


def test_a_journal_that_is_a_link_to_itself_is_named(
    run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_dir / "journal" / "z.jsonl").symlink_to("z.jsonl")
    assert pipeline(["finish", "run"]) == 0, "it was finished before"
    capsys.readouterr()
    assert pipeline(["merge", "run", "--into", "all"]) == 3
    assert "z.jsonl" in capsys.readouterr().out


def test_a_merge_to_where_nothing_can_be_is_one_sentence(
    run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "/proc/nowhere" in said(capsys, pipeline(["merge", "run", "--into", "/proc/nowhere"]))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_text_that_is_no_regular_file_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    artifact = made.keep(tmp_path, "module {}")
    store = ArtifactStore(tmp_path)
    store.path(artifact.sha256).unlink()
    make(store.path(artifact.sha256))
    with pytest.raises(RecordError, match="does not match its name"):
        store.get(artifact)
    make(tmp_path / "inputs.json")
    with pytest.raises(RecordError, match="inputs"):
        read_bytes_of(tmp_path, "inputs")


@pytest.mark.parametrize("length", [260, 5000, 40_000])
def test_a_test_of_a_long_name_costs_no_report(run_dir: Path, length: int) -> None:
    """Two names that begin alike stay two, in every document."""
    names = [f"{'x' * length}-{end}" for end in ("one", "two")]
    tests = [made.identity("long", variant=name, device="cpu") for name in names]
    ops = {
        made.identity("long", variant=name, flow="op_by_op_torch"): [made.op_result(0)]
        for name in names
    }
    records = [made.record(test, Outcome.FAILED) for test in tests]
    folder = run_dir.parent / "long"
    made.write_run(folder, [*records, *map(made.record, ops)], ops=ops)
    write_plan(folder, made.plan_of([*tests, *ops]))
    assert reports(["build", "long", "--format", "json,html"]) == 0
    page = (folder / "index.html").read_text()
    assert len(columns(page, "ops-data")["tests"]) == 2
    assert len(set(columns(page, "grid-data")["names"])) == 4
    assert len(list((folder / "models").iterdir())) == 2
    assert pipeline(["merge", "long", "--into", "all"]) == 3  # its journals are of ops alone
    assert (folder.parent / "all" / "junit.xml").exists()
