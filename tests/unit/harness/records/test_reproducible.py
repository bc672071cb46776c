# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where the reproducers of a run are, as a command names them."""

from pathlib import Path

import pytest

from bringup.harness.records.reproducible import place_of


def test_a_comparison_names_the_reproducers_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    night = tmp_path / "elsewhere" / "night"
    assert place_of(night) == place_of(night / "against" / "an earlier night")
    assert place_of(night) == "elsewhere/night/repro/"
    assert place_of(Path("results/night/against/an earlier night")) == ""
