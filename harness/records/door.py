# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How a command is started where a person is: through the project's noxfile, or by itself."""

import enum
import re
import shlex
from pathlib import Path


class Door(enum.StrEnum):
    """What a command line begins with."""

    NOX = "nox"
    """`nox -s VERB -- WORDS`: in a folder whose noxfile has a session of the verb."""
    CLI = "bringup"
    """`bringup VERB WORDS`: everywhere else."""


def door_to(verb: str, folder: Path | None = None) -> Door:
    """Which of them leads to a verb in a folder, by default the working directory.

    A noxfile counts that speaks of `bringup` and has a session of the verb: a project may have a
    noxfile for its own purposes.
    """
    try:
        text = ((folder or Path()) / "noxfile.py").read_text("utf-8", "replace")
    except OSError:
        return Door.CLI
    name = re.escape(verb.replace("-", "_"))
    session = rf"^def {name}\(|\bname=[\"']{name}[\"']"
    return Door.NOX if "bringup" in text and re.search(session, text, re.MULTILINE) else Door.CLI


def program(verb: str, door: Door | None = None) -> str:
    """How a verb is started, up to its own words."""
    if (door or door_to(verb)) is Door.NOX:
        return f"nox -s {verb.replace('-', '_')} --"
    return f"bringup {verb.replace('_', '-')}"


def command(verb: str, *words: str, door: Door | None = None) -> str:
    """The line of shell that starts a verb with some words."""
    return shlex.join([*program(verb, door).removesuffix("" if words else " --").split(), *words])
