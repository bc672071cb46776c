# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`[tool.bringup]` of a project: what it says of options, and what it is refused for."""

import re
from pathlib import Path

import pytest

from bringup.command.catalog import VERBS
from bringup.harness.errors import UsageError
from bringup.harness.options.option import Source, declared
from bringup.harness.options.project import KEYS, project_texts
from bringup.pipeline.cli import options_of

ALL = 'tests = "m <t>"\nlists = "/l"\ndevice = ["cpu", "n150,n300"]\nworkers = 3\ntimeout = 1.5\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def says(text: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.bringup]\n{text}")


def test_an_option_beats_a_variable_beats_the_project_beats_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert options_of("run", []).sources == {}
    says(ALL)
    found = options_of("run", [])
    assert (found.tests, found.lists, found.workers) == ("m <t>", Path("/l"), 3)
    assert found.devices == ("cpu", "n150", "n300") and found.timeout_s == 1.5
    assert set(found.sources.values()) == {Source.PROJECT} and found.given == frozenset()
    monkeypatch.setenv("BRINGUP_WORKERS", "2")
    found = options_of("run", ["--tests", "x"])
    assert (found.tests, found.workers) == ("x", 2)
    assert found.sources["workers"] is Source.ENVIRONMENT
    assert found.sources["tests"] is Source.COMMAND_LINE


def test_repositories_of_loaders_are_named_once() -> None:
    says('models = ["a b", "/c"]\n')
    assert options_of("run", []).loaders == ("a b", "/c")
    assert options_of("run", ["--models", "d"]).loaders == ("d",)


def test_the_weaker_of_two_that_exclude_each_other_yields(monkeypatch: pytest.MonkeyPatch) -> None:
    says('recheck = "2%"\n')
    assert options_of("nightly", ["--no-cache"]).recheck == ""
    monkeypatch.setenv("BRINGUP_NO_CACHE", "1")
    assert options_of("nightly", []).recheck == ""
    assert options_of("nightly", ["--recheck", "3%"]).no_cache is False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('test = "x"', "tool.bringup.test: nobody reads it; did you mean tests?"),
        ("device = true", "tool.bringup.device: expected a text, a number"),
        ("tests = []", "tool.bringup.tests: the list is empty; leave the key out"),
        ("device = []", "tool.bringup.device: the list is empty"),
        ('tests = ""', "tool.bringup.tests: expected a text"),
        ('lists = ["a", "b"]', "tool.bringup.lists: expected one value, not 2"),
        ('workers = "many"', "tool.bringup.workers: `many` is no number of workers"),
        ('size = "huge"', "tool.bringup.size: --size: invalid choice: 'huge'"),
        ("tests = {a = 1}", "tool.bringup.tests: expected a text"),
        ("tests", "pyproject.toml is no TOML"),
    ],
)
def test_what_it_may_not_say_is_refused_with_file_and_field(text: str, why: str) -> None:
    says(text)
    with pytest.raises(UsageError, match=re.escape(why)) as refused:
        options_of("nightly", [])
    assert str(refused.value).startswith("pyproject.toml") and "\n" not in str(refused.value)


def test_a_table_that_is_none_is_refused_and_a_project_of_others_is_none_of_ours() -> None:
    Path("pyproject.toml").write_text("tool.bringup = 3\n")
    with pytest.raises(UsageError, match=r"tool\.bringup: expected a table"):
        project_texts()
    Path("pyproject.toml").write_text("[tool.other\n")
    assert project_texts() == {}
    Path("pyproject.toml").write_bytes(b"\xff bringup")
    with pytest.raises(UsageError, match="is no TOML"):
        project_texts()


def test_every_key_stands_for_an_option_of_that_name() -> None:
    found: set[str] = set()
    for verb in VERBS.values():
        command, options = verb.declared()
        made = declared(options, command.name).values()
        assert all(o.flag == f"--{o.project}" for o in made if o.project)
        found |= {o.project for o in made if o.project}
    assert found == KEYS
