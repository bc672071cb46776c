# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The nox sessions and the parsers behind them, and both as Markdown.

`nox -s SESSION -- OPTIONS` hands its options to one parser. `parse` has that parser read a command
line as it stands in a document, without running it, so that documents can be held to the parsers.
"""

import argparse
import contextlib
import functools
import importlib.util
import io
import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.errors import HarnessError

ROOT = Path(__file__).parents[2]


class CommandError(Exception):
    """A command line that a document shows and that would not be taken."""


@dataclass(frozen=True)
class Command:
    """`nox -s SESSION [SESSION ...] [-- WORD ...]`."""

    sessions: tuple[str, ...]
    words: tuple[str, ...]


@functools.cache
def sessions() -> dict[str, str]:
    """Name to docstring of every session, in the noxfile's order."""
    import nox.registry

    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return {name: (found.func.__doc__ or "") for name, found in nox.registry.get().items()}


def parser_of(session: str) -> argparse.ArgumentParser | None:
    """What reads a session's options; None where it has none of ours."""
    from bringup.command.catalog import VERBS
    from bringup.harness.options.command_line import parser_of as made_of

    return made_of(*VERBS[session].declared()) if session in VERBS else None


# --- reading --------------------------------------------------------------------------------


def command_in(line: str) -> Command | None:
    """The nox command of a line of shell, however the line gets to nox; None where it has none.

    Raises:
        CommandError: the line is not what a shell would take.
    """
    try:
        words = shlex.split(line.split(" && ")[-1], comments=True)
    except ValueError as error:
        raise CommandError(f"{line}: {error}") from None
    while words and "=" in words[0]:
        words = words[1:]
    if len(words) < 3 or Path(words[0]).name != "nox" or words[1] != "-s":
        return None
    names, _, rest = " ".join(map(shlex.quote, words[2:])).partition(" -- ")
    return Command(tuple(shlex.split(names)), tuple(shlex.split(rest)))


def parse(command: Command) -> None:
    """Have the session's own parser read a command.

    Raises:
        CommandError: there is no such session, or it does not take these options.
    """
    for session in command.sessions:
        if session not in sessions():
            raise CommandError(f"there is no session {session}")
        parser = parser_of(session)
        if parser is None or not command.words or set(command.words) & {"-h", "--help"}:
            continue
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                _, unknown = parser.parse_known_args(list(command.words))
        except (HarnessError, SystemExit) as error:
            why = said.getvalue() or error
            raise CommandError(f"{session} refuses {shlex.join(command.words)}: {why}") from None
        if unknown:
            raise CommandError(f"{session} takes no {unknown[0]}")


# --- writing --------------------------------------------------------------------------------


def commands() -> str:
    """Every session with its options, as Markdown.

    Options that an earlier session has, all of them, are not written again.
    """
    parts: list[str] = []
    written: dict[str, list[str]] = {}
    for name, says in sessions().items():
        parts += [f"## {name}", "", *(line.strip() for line in says.strip().splitlines()), ""]
        parser = parser_of(name)
        if parser is None:
            continue
        usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
        parts += ["```text", *textwrap.wrap(usage, 96, subsequent_indent="  "), "```", ""]
        rows = [_row(action, parser.prog) for action in _options(parser)]
        parts += [*_table(rows, written), ""]
        written[name] = rows
    return "\n".join(parts)


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]


def _table(rows: list[str], written: Mapping[str, list[str]]) -> list[str]:
    """A table of the rows, without those of the largest session whose rows are all among them."""
    within = [name for name, others in written.items() if set(others) <= set(rows)]
    same = max(within, key=lambda name: len(written[name]), default=None)
    if same is None:
        return ["| option | meaning |", "|---|---|", *rows]
    rest = [row for row in rows if row not in written[same]]
    said = f"It takes the options of [{same}](#{same})"
    if not rest:
        return [f"{said}."]
    return [f"{said}, and these:", "", "| option | meaning |", "|---|---|", *rest]


def _row(action: argparse.Action, prog: str) -> str:
    value = _value(action)
    shown = [f"{name} {value}" if action.nargs != 0 else name for name in action.option_strings]
    says = (action.help or "") % {**vars(action), "prog": prog}
    if action.required and action.option_strings:
        says = f"{says} (required)"
    return f"| {', '.join(f'`{cell(name)}`' for name in shown or [value])} | {cell(says)} |"


def _value(action: argparse.Action) -> str:
    """What stands for an option's value."""
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    found = action.metavar or choices or action.dest.upper()
    found = found if isinstance(found, str) else " ".join(found)
    return f"[{found}]" if action.nargs == "?" and action.option_strings else found


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
