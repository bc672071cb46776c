# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.help_env [--json]`: every environment variable, and what it holds."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bringup.harness.options.command_line import Command, parser_of, read, run, say
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option
from bringup.harness.records.environment_listing import ListedVariable, listed
from bringup.harness.storage.writable import encoded

COMMAND = Command(
    name="help_env",
    prog="",
    says="List every environment variable that is read: what it says, what it takes, its default, "
    "who reads it, and what it holds here. Secrets are not shown.",
    examples=(
        ("", "a table"),
        ("--json", "the same for a program"),
        ("cache", "those with `cache` in their name"),
    ),
)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    words: tuple[str, ...] = option((), "TEXT", "only variables with TEXT in their name")
    json: bool = option(False, "--json", "print JSON")


def command_line() -> argparse.ArgumentParser:
    """The parser, as documentation reads it."""
    return parser_of(COMMAND, Options)


def main(arguments: Sequence[str] | None = None) -> int:
    """List the variables; USAGE where one holds what it may not, or is none of ours."""
    words = sys.argv[1:] if arguments is None else arguments
    return run("", lambda: start(words), look=False)


def start(words: Sequence[str]) -> int:
    """List the variables.

    Raises:
        UsageError: an option is none.
    """
    options = Options(**read(COMMAND, Options, words).values)
    found = [
        variable
        for variable in listed()
        if not options.words or any(w.upper() in variable.name.upper() for w in options.words)
    ]
    if options.json:
        say(encoded(found).decode())
    else:
        say("\n".join(map(described, found)))
    wrong = [variable.wrong for variable in found if variable.wrong]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return ExitCode.USAGE if wrong else ExitCode.KEPT


def described(one: ListedVariable) -> str:
    """A variable for people: what it holds, and below that what it is."""
    now = f"{one.name}={one.value}" if one.is_set else f"{one.name} is not set"
    told = [one.says, f"takes {one.takes}" if one.takes else "", f"read by {one.read_by}"]
    told.insert(2, f"default: {one.default}" if one.default else "")
    return f"{now}\n    {'; '.join(filter(None, told))}"


if __name__ == "__main__":
    sys.exit(main())
