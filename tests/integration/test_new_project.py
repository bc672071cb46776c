# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A new project: the wheel, `bringup init`, `bringup nightly`, and there is a dashboard."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.integration.test_wheel import wheel
from tests.unit.reports.html.unpacked import details

__all__ = ["wheel"]


@pytest.mark.slow
def test_three_commands_end_with_a_dashboard(wheel: Path, tmp_path: Path) -> None:
    """The environment has the wheel, and sees the libraries of the one these tests run in."""
    environment = tmp_path / "an environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    target = Path(
        subprocess.check_output(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        ).strip()
    )
    hidden = ("PYTHONPATH", "BRINGUP_ENV")
    variables = {k: v for k, v in os.environ.items() if k not in hidden}
    variables["BRINGUP_CACHE"] = str(tmp_path / "cache")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    subprocess.run([*install, "--no-index", "--quiet", str(wheel)], env=variables, check=True)
    # the libraries come behind it: pip would take a checkout that is among them for the wheel
    (target / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    project = tmp_path / "a new <project>"
    project.mkdir()
    for words in (["init"], ["doctor", "--fast"], ["nightly"]):
        done = subprocess.run(
            [environment / "bin" / "bringup", *words],
            cwd=project,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    [page] = project.glob("results/nightly-*/index.html")
    shown = details(page.read_text("utf-8"))
    assert [one["f"][0] for one in shown] == [["model", "sample"]] * 2  # whole, and op by op
    assert "nox -s" not in done.stdout
