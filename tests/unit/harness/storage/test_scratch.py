# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Temporary folders: gone with their maker, and never while it lives."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bringup.harness.storage.scratch import Scratch, sweep

MAKER = """
import sys, time
from bringup.harness.storage.scratch import Scratch
scratch = Scratch("test")
print(scratch.path, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_goes_when_its_maker_is_killed_and_not_before(tmp_path: Path) -> None:
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert maker.stdout is not None
    path = Path(maker.stdout.readline().strip())
    (path / "left").write_text("something")
    sweep(fresh_s=0.0)
    assert path.is_dir()
    maker.kill()
    maker.communicate()
    sweep()
    assert path.is_dir(), "it is fresh: its maker may not have come to lock it"
    sweep(fresh_s=0.0)
    assert not path.exists()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "bringup-held-link").symlink_to(outside)
    (tmp_path / "bringup-held-file").write_text("x")
    sweep(fresh_s=0.0)
    assert {p.name for p in tmp_path.iterdir()} == {
        "outside",
        "bringup-held-link",
        "bringup-held-file",
    }


def test_a_folder_goes_at_the_end_of_its_block() -> None:
    with Scratch("test") as scratch:
        (scratch.path / "deep").mkdir()
    assert not scratch.path.exists()
    scratch.cleanup()
