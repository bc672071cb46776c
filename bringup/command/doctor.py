# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup doctor`: what is missing here, and how to get it.

Nothing of the stack under test is imported in this process: a library that is broken, or ends its
process, costs a child and one line. Nothing is installed and nothing is changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bringup.command.catalog import Declared
from bringup.command.checks.check_result import CheckResult, Level
from bringup.command.checks.machine import cache_folder, disk, git, memory, python_version
from bringup.command.checks.project import lists, plugins, project_file, variables
from bringup.command.checks.stack import compilers, stack
from bringup.harness.options.command_line import Command, read, say
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option

COMMAND = Command(
    name="doctor",
    prog="bringup doctor",
    says="Say what is missing here, and how to get it; change nothing.",
    examples=(("", "everything is looked at"), ("--fast", "libraries are found, not imported")),
    notes="""\
Exit code 0: `bringup nightly` can run, whatever else is missing; 1: it cannot. A device that is not
here is no fault: `bringup devices` tells of each.""",
)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    fast: bool = option(False, "--fast", "look whether libraries are there, and import none")


def command_line() -> Declared:
    """What its parser is made of."""
    return Declared(COMMAND, Options)


def start(words: list[str]) -> int:
    """Look at everything and tell; BROKEN where the main job cannot run.

    Raises:
        UsageError: an option is none.
    """
    options = Options(**read(COMMAND, Options, words).values)
    worst = Level.FINE
    for finding in look(imports=not options.fast):
        say(finding.text)
        worst = max(worst, finding.level)
    if worst is Level.MISSING:
        say("\nthe main job cannot run: mend what is marked with `missing`")
        return ExitCode.BROKEN
    say("\nthe main job can run: `bringup nightly` in a project, `bringup init` makes one")
    return ExitCode.KEPT


def look(*, imports: bool) -> Iterator[CheckResult]:
    """Everything that is looked at, in order; a check that fails is a finding itself."""
    checks: tuple[tuple[str, Callable[[], Iterator[CheckResult]]], ...] = (
        ("Python", python_version),
        ("the stack", lambda: stack(imports=imports)),
        ("compilers", compilers),
        ("memory", memory),
        ("disk", disk),
        ("the cache", cache_folder),
        ("git", git),
        ("variables", variables),
        ("pyproject.toml", project_file),
        ("lists", lists),
        ("plugins", plugins),
    )
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:  # whatever is broken here: the doctor tells and goes on
            why = f"cannot be looked at: {type(error).__name__}: {error}"
            yield CheckResult(Level.MISSING, name, why.partition("\n")[0])
