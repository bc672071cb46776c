# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import hashlib
import io
from pathlib import Path

import pytest

from bringup.pipeline.history.store.history import History
from bringup.pipeline.messages import Speaker
from bringup.pipeline.results.remember import NOWHERE, remember
from tests.unit import run_builder as made


def test_a_finished_run_is_in_the_history(tmp_path: Path) -> None:
    run_dir = made.write_run(tmp_path / "run", [made.record()])
    said = io.StringIO()
    for _ in range(2):
        assert remember(run_dir, str(tmp_path / "history"), Speaker(said))
    assert [run.run for run in History(str(tmp_path / "history")).runs()] == [made.RUN_ID]
    assert said.getvalue() == ""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("plain", "cannot write"),
        ("nonsense://x", "Protocol not known"),
        ("newer", "history schema 99"),
    ],
)
def test_a_history_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("a file in its place")
    header = b'{"schema": 99}'
    name = f"{hashlib.sha256(header).hexdigest()[:32]}.json"
    (tmp_path / "newer" / "index").mkdir(parents=True)
    (tmp_path / "newer" / "index" / name).write_bytes(header)
    run_dir = made.write_run(tmp_path / "run", [made.record()])
    said = io.StringIO()
    assert not remember(run_dir, address, Speaker(said))
    warning = said.getvalue()
    assert warning.startswith(f"warning: the run is not in the history at {address}: ")
    assert why in warning and f"`bringup history add {run_dir}` adds it" in warning
    assert warning.count("\n") == 1


def test_who_wants_no_history_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_dir = made.write_run(tmp_path / "run", [made.record()])
    said = io.StringIO()
    assert not remember(run_dir, NOWHERE, Speaker(said)) and said.getvalue() == ""
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
