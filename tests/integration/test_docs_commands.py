# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Commands of the documentation, run as they stand there, on a small fleet."""

import shlex
import subprocess
from pathlib import Path

import pytest

from bringup.pipeline.lists.specs import NIGHTLY_FULL
from docs.site.commands import command_in, parser_of
from tests.documents import Page
from tests.integration.made_nights import nights_of
from tests.integration.nox_door import nox, with_door
from tests.integration.small_fleet import SmallFleet
from tests.unit.docs.test_pages import shell_lines

MODELS = ("bert", "t5", "vit", "swin", "opt")


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    fleet = SmallFleet(tmp_path)
    for name in MODELS:
        fleet.file(f"test_{name}", f"@full\ndef test_{name}(flow): pass\n")
    with_door(fleet)
    return fleet


def shown(page: str, *parts: str) -> list[str]:
    """The command lines of a page that have one of the parts in them, in its order."""
    lines = [line for _, line in shell_lines(Page(Path(page)))]
    found = [line for line in lines if any(part in line for part in parts)]
    assert len(found) == len(parts), (page, lines)
    return found


def run(fleet: SmallFleet, line: str) -> tuple[int, str]:
    """Run a line as it stands, but for what this machine has: opening all devices takes long."""
    command = command_in(line)
    assert command is not None and len(command.sessions) == 1
    parser = parser_of(command.sessions[0])
    options = parser._option_string_actions if parser is not None else {}
    known = ["--devices-from", "devices.json"] if "--devices-from" in options else []
    return nox(fleet, *command.sessions, "--", *command.words, *known)


def test_the_page_on_shards_works_as_it_stands(fleet: SmallFleet) -> None:
    entries = [f"tests/models/test_{name}.py::test_{name}[full-eval]" for name in MODELS]
    fleet.write_list(NIGHTLY_FULL, cpu=entries)
    plan, shard, merge, promote = shown(
        "docs/how-to/shard-a-night.md", "--shards 5", "--shard 2/5", "-s merge", "-s promote"
    )
    code, said = run(fleet, plan)
    assert code == 0 and "shard 5/5: 1 test" in said, said
    for line in (shard.replace("2/5", "1/5").replace("shard-2", "shard-1"), shard):
        code, said = run(fleet, line)
        assert code == 0, said
    code, said = run(fleet, merge)
    assert code == 3 and "2 PASSED, 3 NOT_RUN" in said, said  # as the page says
    assert (fleet.root / "results/night/index.html").is_file()
    code, said = run(fleet, promote)
    assert code == 0, said


def test_commands_that_look_and_change_nothing(fleet: SmallFleet) -> None:
    [dry] = shown("docs/how-to/run-tests.md", "--dry-run")
    fleet.write_list(NIGHTLY_FULL, cpu=["tests/models/test_t5.py::test_t5[full-eval]"])
    code, said = run(fleet, dry)
    assert code == 0 and "1 test on cpu" in said, said
    [budget] = shown("docs/how-to/run-tests.md", "--budget 15m")
    code, said = run(fleet, f"{budget} --dry-run")
    assert code == 0 and "budget 15m: 1 of 1 tests fit in" in said, said
    [lists] = shown("docs/how-to/promote.md", "-s lists")
    code, said = run(fleet, lists)
    assert code == 0, said
    [model] = shown("docs/how-to/run-tests.md", "--size tiny")
    code, said = run(fleet, f"{model} --dry-run")
    assert code == 0 and shlex.split(model)[5] in said, said


def test_the_page_on_lists_works_as_it_stands(fleet: SmallFleet) -> None:
    """On ten nights that were; the lists are in a repository of their own."""
    entries = [f"tests/models/test_{name}.py::test_{name}[full-eval]" for name in MODELS]
    fleet.write_list(NIGHTLY_FULL, n150=entries)
    nights_of(fleet, {"t5": "....FFFFFF", "bert": "." * 10})
    both = '@pytest.mark.parametrize("flow", ["full-eval", "op_by_op_torch-eval"])'
    fleet.file("test_t5", f"{both}\ndef test_t5(flow): pass\n")
    who = [("config", f"user.{name}", "somebody") for name in ("name", "email")]
    for words in (("init", "-q"), *who, ("add", "tests"), ("commit", "-qm", "the lists")):
        subprocess.run(["git", *words], cwd=fleet.root, check=True)
    page = "docs/how-to/move-lists.md"
    [explain, pr, keep, opened] = shown(page, "explain", "--pr", "-- --write", "--opened")
    code, said = run(fleet, explain)
    assert code == 0 and "up          it is at the top" in said, said
    assert "fingerprint 1|compile|stablehlo.fft|no legal lowering" in said, said
    code, said = run(fleet, pr)
    assert code == 0 and "wrote results/n09/pull_request/body.md" in said, said
    assert "....FFFFFF" in (fleet.root / "results/n09/pull_request/body.md").read_text()
    assert "branch promote/" in said and "the work tree stays as it is" in said, said
    code, said = run(fleet, keep)
    assert code == 0 and "opened (new): stablehlo.fft: no legal lowering (1 test)" in said, said
    [file] = (fleet.root / "tests/lists/incidents").iterdir()
    code, said = run(fleet, opened.replace("56f0105460ea", file.stem))
    assert code == 0 and "https://example.com/issues/7" in file.read_text(), said
