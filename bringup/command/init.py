# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup init`: make the working directory a project whose first night runs.

It asks nothing and overwrites nothing: a file that is there is kept, and said to be, so a second
run changes nothing. The one file that it adds to is a pyproject.toml without `[tool.bringup]`.
"""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bringup.command.catalog import Declared
from bringup.command.project_files import IGNORED, NOX, PROJECT, SECTION, noxfile, project_files
from bringup.harness.errors import UsageError
from bringup.harness.options.command_line import Command, read, say
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option
from bringup.harness.options.project import project_texts
from bringup.harness.records.door import Door, command, door_to
from bringup.harness.storage.atomic import write_atomically

COMMAND = Command(
    name="init",
    prog="bringup init",
    says="Make this folder a project: a sample test, the lists, a workflow, [tool.bringup].",
    examples=(("", "what is there already is kept"), ("--nox", "with a noxfile, too")),
    notes="`bringup nightly` runs it; add tests beside the sample, and their ids to the lists.",
)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    nox: bool = option(False, "--nox", "also write a noxfile.py with the verbs as sessions")


def command_line() -> Declared:
    """What its parser is made of."""
    return Declared(COMMAND, Options)


def start(words: list[str]) -> int:
    """Write what is not there, and say of each file whether it was.

    Raises:
        UsageError: something stands where a folder has to be, or pyproject.toml cannot be read.
        RecordError: the disk is full or gone.
    """
    options = Options(**read(COMMAND, Options, words).values)
    said = project_texts()
    tests, lists = (said.get(key, (f"tests/{key_folder}",))[0] for key, key_folder in _FOLDERS)
    files = dict(project_files(tests, lists)) | ({NOX: noxfile()} if options.nox else {})
    for name, text in files.items():
        lacks = _lacks(Path(name))
        say(_write(Path(name), text) + lacks)
    for line in _project(Path(PROJECT)):
        say(line)
    say(f"next: `{command('nightly')}` ends with a dashboard, results/nightly-.../index.html")
    return ExitCode.KEPT


_FOLDERS = (("tests", "models"), ("lists", "lists"))


def _lacks(path: Path) -> str:
    """What a file that is there, and kept, is without."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    if path.name == NOX and door_to("nightly") is Door.CLI:
        return ", which has no sessions of bringup; `bringup VERB` does without"
    if path.name == IGNORED and not any(line.strip().strip("/*") == "results" for line in lines):
        return ", which does not ignore results/: add it"
    return ""


def _write(path: Path, text: str) -> str:
    if os.path.lexists(path):
        return f"kept   {path}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {path.parent}: {error.strerror}") from None
    write_atomically(path, text.encode("utf-8"))
    return f"wrote  {path}"


def _project(path: Path) -> Iterator[str]:
    """Write the section of pyproject.toml, or add it to one that has none."""
    if not os.path.lexists(path):
        yield _write(path, SECTION)
        return
    try:
        before = path.read_bytes()
        whole = tomllib.loads(before.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    if "bringup" in whole.get("tool", {}):
        yield f"kept   {path}, which has [tool.bringup]"
        return
    after = before + b"\n" * (2 - before.endswith(b"\n")) * bool(before) + SECTION.encode()
    try:
        tomllib.loads(after.decode("utf-8"))
    except tomllib.TOMLDecodeError:  # `tool = {...}` is closed: nothing can be added behind it
        yield f"kept   {path}; add to its `tool`: bringup = {{tests = ..., lists = ...}}"
        return
    write_atomically(path.resolve(), after)
    yield f"added  [tool.bringup] to {path}"
