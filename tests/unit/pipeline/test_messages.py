# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is said while somebody waits."""

import io
from pathlib import Path

import pytest

from bringup.harness.records.device_listing import ListedDevice
from bringup.harness.storage.writable import encoded
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions
from bringup.pipeline.planning.selection import COLLECTING, look_around

SOON_S = 0.01


def test_a_slow_import_is_waited_for_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    listing = tmp_path / "devices.json"
    devices: tuple[ListedDevice, ...] = ()
    listing.write_bytes(encoded(devices))
    said = tmp_path / "said.txt"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "test_slow.py").write_text(
        "import pathlib, time\n"
        f"while pathlib.Path({str(said)!r}).read_text().count('waiting') < 2:\n"
        "    time.sleep(0.01)\n"
        "def test_slow(): pass\n"
    )
    options = RunOptions("run", tests="models", devices_from=listing)
    with said.open("w") as stream:
        _, collected = look_around(options, Speaker(stream, patience_s=SOON_S))
    assert collected.ids == ("models/test_slow.py::test_slow",)
    assert not collected.broken
    lines = said.read_text().splitlines()
    assert all(line.startswith(f"waiting for {COLLECTING}, ") for line in lines)


def test_what_is_soon_over_is_not_talked_about() -> None:
    said = io.StringIO()
    with Speaker(said).waiting_for("nothing"):
        pass
    assert said.getvalue() == ""
