# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is packed can be unpacked, and nothing is deleted before that is sure."""

from io import StringIO
from pathlib import Path

import pytest

from bringup.harness.errors import RecordError
from bringup.harness.records import packing
from bringup.harness.records.journal import JournalWriter, journals, pack_journals
from bringup.harness.records.run_dir import read_merged, write_plan
from bringup.harness.records.schema import Outcome, TestEnded, TestStarted, TestWarned
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.finish import finish_runs
from bringup.pipeline.results.merge import merge
from bringup.pipeline.running.ledger import Ledger
from tests.unit.run_builder import PROVENANCE, RUN_ID, identity, nodeid, plan_of

NET = identity("net", "cpu")


def a_run(run_dir: Path, sentence: int, sentences: int) -> Path:
    """A run whose journal holds so many sentences of so many bytes, each another one."""
    write_plan(run_dir, plan_of([NET]))
    journal = JournalWriter(run_dir, RUN_ID, PROVENANCE)
    journal.append(TestStarted(time=1.0, identity=NET, nodeid=nodeid(NET), pid=1), sync=False)
    for i in range(sentences):
        said = f"{i} ".ljust(sentence, "w")
        journal.append(TestWarned(time=1.0, key=NET.key, warning=said), sync=False)
    journal.append(TestEnded(time=2.0, key=NET.key, outcome=Outcome.PASSED), sync=False)
    journal.close()
    return run_dir


def whole(run_dir: Path, sentences: int) -> bool:
    (record,) = read_merged(run_dir)[1]
    return record.outcome is Outcome.PASSED and len(record.warnings) == sentences


def finished_and_merged(run_dir: Path, sentences: int) -> None:
    """Every command that reads the run reads all of it, again and again."""
    for _ in range(2):
        finish_runs([run_dir], Speaker(StringIO()))
        assert whole(run_dir, sentences)
    for _ in range(2):
        merge([run_dir], run_dir.with_name("night"))
        assert whole(run_dir.with_name("night"), sentences)
    ledger = Ledger(run_dir, plan_of([NET]).tests)
    assert ledger.read() == [NET.key]


@pytest.mark.parametrize("above", [False, True])
def test_what_is_too_large_to_be_unpacked_is_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: bool
) -> None:
    run_dir = a_run(tmp_path / "run", 100, 200)
    (journal,) = journals(run_dir)
    size = journal.stat().st_size
    monkeypatch.setattr(packing, "LARGEST", size - above)
    finished_and_merged(run_dir, 200)
    assert [p.suffix for p in journals(run_dir)] == [".jsonl" if above else ".zst"]


def test_records_too_large_to_be_unpacked_are_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = a_run(tmp_path / "run", 100, 200)
    monkeypatch.setattr(packing, "LARGEST", 10_000)
    finished_and_merged(run_dir, 200)
    assert (run_dir / "records.jsonl").exists() and not (run_dir / "records.jsonl.zst").exists()
    monkeypatch.undo()
    merge([run_dir], run_dir)
    assert whole(run_dir, 200)
    assert (run_dir / "records.jsonl.zst").exists() and not (run_dir / "records.jsonl").exists()


def test_a_journal_stays_until_what_takes_its_place_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = a_run(tmp_path / "run", 10, 2)
    (journal,) = journals(run_dir)

    def bad_disk(path: Path, data: bytes) -> Path:
        path.write_bytes(data[:-1])
        return path

    monkeypatch.setattr("bringup.harness.records.journal.write_atomically", bad_disk)
    with pytest.raises(RecordError, match="does not read as it was written"):
        pack_journals(run_dir)
    assert journal.exists()


@pytest.mark.slow
def test_a_journal_above_half_a_gibibyte_is_read_again(tmp_path: Path) -> None:
    run_dir = a_run(tmp_path / "run", 1 << 20, 520)
    finished_and_merged(run_dir, 520)
