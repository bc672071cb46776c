# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Every reproducer of `docs/findings` is run: it ends and says what its page has. One that does
otherwise was mended upstream, or is no reproducer."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from bringup.harness.devices.backends.system_desc import write_descriptor
from bringup.harness.devices.backends.tenstorrent import find_plugin
from bringup.harness.records.variable_names import DESCRIPTOR_VARIABLE

FOLDER = Path(__file__).parents[2] / "docs" / "findings"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "index")
PARTS = re.compile(
    r"\*\*Reproduces\*\*\n\n```python\n(?P<code>.*?)```\n\n\*\*Ends\*\* (?P<ends>[^\n]*)\.\n\n"
    r"\*\*Says\*\*\n\n```\n(?P<says>.*?)```\n\n\*\*Expected\*\*: .*\n\n\*\*Found by\*\* ",
    re.DOTALL,
)
NEVER = "not within a minute of CPU time"
LIMITED = """\
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Whatever else the machine has to do, a reproducer has the same time."""


class Finding(NamedTuple):
    code: str
    ends: str
    says: str


def finding(page: str) -> Finding:
    match = PARTS.search((FOLDER / f"{page}.md").read_text("utf-8"))
    assert match, f"{page}: Reproduces, Ends, Says, Expected, Found by, in this order"
    return Finding(match["code"], match["ends"], match["says"])


def board(page: str, folder: Path) -> dict[str, str]:
    """Variables by which a Tenstorrent reproducer has a board to compile for."""
    if not page.startswith("tenstorrent-"):
        return {}
    distribution, version, _ = find_plugin()
    write_descriptor("n150", folder / "n150.ttsys", distribution, version)
    return {DESCRIPTOR_VARIABLE: str(folder / "n150.ttsys")}


def ran(code: str, folder: Path, variables: Mapping[str, str]) -> tuple[str, str]:
    """How a reproducer ends, and all that it says."""
    path = folder / "reproducer.py"
    path.write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return NEVER, done.stdout
    if done.returncode < 0:
        return f"by {signal.Signals(-done.returncode).name}", done.stdout
    return f"with exit code {done.returncode}", done.stdout


def plain(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("page", PAGES)
def test_a_finding_has_all_that_an_issue_needs(page: str) -> None:
    found = finding(page)
    compile(found.code, page, "exec")
    assert re.fullmatch(rf"by SIG[A-Z]+|with exit code [01]|{NEVER}", found.ends)
    assert page in (FOLDER / "index.md").read_text("utf-8").split()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_reproducer_ends_as_its_page_says(page: str, tmp_path: Path) -> None:
    found = finding(page)
    ends, said = ran(found.code, tmp_path, board(page, tmp_path))
    assert ends == found.ends, said
    if not found.says.startswith("(nothing"):
        for part in found.says.split("..."):
            assert plain(part) in plain(said), said
