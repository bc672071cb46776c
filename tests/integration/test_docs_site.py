# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The documentation, built as `nox -s docs` builds it, with the network cut off."""

import html
import re
import subprocess
import sys
from pathlib import Path

from bringup.harness.records.environment import VARIABLES
from docs.site.commands import parser_of, sessions
from tests.documents import ROOT, site

CUT_OFF = """
import socket, sys
def refuse(*_): raise OSError("there is no network")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_site_builds_offline_without_a_warning_and_loads_nothing(tmp_path: Path) -> None:
    flags = ["--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"]
    assert all(flag in (ROOT / "noxfile.py").read_text() for flag in flags)
    build = [sys.executable, "-c", CUT_OFF, *flags, "docs", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {p: p.read_text("utf-8") for p in tmp_path.rglob("*.html")}
    for page in site():
        assert tmp_path / page.path.relative_to("docs").with_suffix(".html") in pages
    for path, text in pages.items():
        loaded = re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"(http[^\"]+)", text)
        assert not loaded, (path, loaded)
        assert "<!-- generated" not in text
    commands = html.unescape(pages[tmp_path / "reference" / "commands.html"])
    for name in sessions():
        parser = parser_of(name)
        assert f'id="{name.replace("_", "-")}"' in commands
        for action in parser._actions if parser else ():
            assert all(option in commands for option in action.option_strings)
    variables = pages[tmp_path / "reference" / "variables.html"]
    assert [name for name in VARIABLES if f">{name}<" not in variables] == []
    assert 'class="rooms"' in pages[tmp_path / "architecture.html"]
    assert "bringup.ModelTester" in pages[tmp_path / "reference" / "api.html"]
