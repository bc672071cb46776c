# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Engines by name; one of somebody else's runs a plan."""

from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.pipeline.running.engine import Engine
from bringup.pipeline.running.engines import engine_of, engines

KNOWN = "known are local, shared, ray, counting"
THEIRS = """
from dataclasses import dataclass
from pathlib import Path
from bringup.pipeline.running.supervisor import LOCAL

@dataclass(frozen=True)
class Counting:
    name: str = "counting"
    says: str = "counts the tests, then runs them here"
    takes_address: bool = True

    def run(self, plan, settings, watcher, refused):
        Path(settings.address).write_text(str(len(plan.tests)))
        return LOCAL.run(plan, settings, watcher, refused)

ENGINES = [Counting()]
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"engine_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("BRINGUP_ENGINES", name)
    return name


def test_an_engine_is_found_by_its_name(theirs: str) -> None:
    assert list(engines()) == ["local", "shared", "ray", "counting"]
    assert all(isinstance(engine, Engine) for engine in engines().values())
    assert engine_of("local").address == ""
    assert engine_of("counting://host:1234/path").address == "host:1234/path"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("locl", f"unknown engine 'locl'; {KNOWN}; did you mean local?"),
        ("", f"unknown engine ''; {KNOWN}"),
        ("local://here", "the engine local takes no address"),
        ("counting", "the engine counting needs an address: counting://ADDRESS"),
        ("counting://", "the engine counting needs an address: counting://ADDRESS"),
    ],
)
def test_what_is_no_engine_is_refused(theirs: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        engine_of(text)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no')", "cannot be loaded: RuntimeError: no"),
        ("", "gives no Engine, but a module without ENGINES"),
        ("ENGINES = [3]", "gives no Engine, but int"),
        (THEIRS.replace('"counting"', '"local"'), "there is an engine called local already"),
    ],
)
def test_a_module_that_gives_no_engine_is_refused(
    theirs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    (tmp_path / "broken_one.py").write_text(body)
    monkeypatch.setenv("BRINGUP_ENGINES", "broken_one")
    monkeypatch.delitem(__import__("sys").modules, "broken_one", raising=False)
    from bringup.pipeline.running import engines as module

    module._engines.cache_clear()
    with pytest.raises(UsageError, match="BRINGUP_ENGINES: broken_one") as refused:
        engines()
    assert said in str(refused.value)
