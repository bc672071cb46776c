# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From the arguments of a command to its options, and from an error to its exit code.

Made of the options' declarations (`option`) and of what a `Command` says of itself: parser, help,
examples. A value comes from the command line, else from the environment variable that stands for
the option, else from the project (`project`), else it is the default; which of them it was is known
afterwards.
"""

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import HarnessError, UsageError
from bringup.harness.options.exit_codes import ExitCode, code_of, describe
from bringup.harness.options.option import Option, Source, Takes, declared
from bringup.harness.options.project import NAME, TABLE, project_texts
from bringup.harness.records.door import program
from bringup.harness.records.environment import check
from bringup.harness.records.variables import VARIABLES
from bringup.harness.storage.writable import never_fail_to_print, writable

_NARGS = {(True, True): "+", (True, False): "*", (False, True): None, (False, False): "?"}
"""Of a positional option, by whether it takes several values and whether one must be there."""
_STRENGTH = (Source.PROJECT, Source.ENVIRONMENT, Source.COMMAND_LINE)
"""The weakest first."""
_OF_THE_NAME = frozenset(
    {
        errno.EACCES,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
    }
)
"""Refusals of the file system that say the name was wrong, not that the machine is ill."""


@dataclass(frozen=True)
class Command:
    """One command, as its help describes it."""

    name: str
    """What the options' `verbs` call it."""
    prog: str
    """How it is started, up to its own arguments; empty: as it is where the person is."""
    says: str
    """What it does, in a line."""
    examples: tuple[tuple[str, str], ...]
    """Arguments behind `prog`, and what they do."""
    notes: str = ""
    """Paragraphs for the end of its help."""

    @property
    def started(self) -> str:
        """How it is started here, up to its own arguments."""
        return self.prog or program(self.name)

    def epilog(self) -> str:
        """The end of its help: its own examples, its notes, and the exit codes of all commands."""
        begins = self.started
        lines = [
            (f"  {begins.removesuffix(' --') if not given else begins} {given}".rstrip(), why)
            for given, why in self.examples
        ]
        wide = max(len(line) for line, _ in lines)
        shown = [
            f"{line:<{wide}}   {why}" if wide < 60 else f"{line}\n      {why}"
            for line, why in lines
        ]
        parts = ["\n".join(["examples:", *shown]), self.notes.strip(), describe()]
        return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class Read:
    """What was read of a command line and the environment."""

    values: dict[str, Any] = field(default_factory=dict)
    """Of the options that either of them gives, by name."""
    sources: dict[str, Source] = field(default_factory=dict)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in a sentence, without the usage around it."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parser_of(command: Command, options: type) -> argparse.ArgumentParser:
    """The parser of a command, with its help; what is not given it leaves out."""
    parser = _Parser(
        prog=command.started,
        description=command.says,
        epilog=command.epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, made in declared(options, command.name).items():
        keywords: dict[str, Any] = {"help": _help(made), "default": argparse.SUPPRESS}
        if made.takes is Takes.NOTHING:
            keywords["action"] = "store_true"
        else:
            keywords |= {
                "type": made.read,
                "metavar": made.metavar or "|".join(made.choices) or None,
            }
        if made.takes is Takes.MAYBE:
            keywords |= {"nargs": "?", "const": ""}
        if made.positional:
            keywords["nargs"] = _NARGS[made.takes is Takes.VALUES, made.required]
            keywords["default"] = None  # argparse would read the word SUPPRESS as one of the user's
            parser.add_argument(name, **keywords)
            continue
        if made.takes is Takes.VALUES:
            keywords["action"] = "append"
        parser.add_argument(made.flag, dest=name, required=made.required, **keywords)
    return parser


def _help(made: Option) -> str:
    notes = []
    if made.default_says:
        notes.append(f"default: {made.default_says}")
    elif made.default not in (None, "", False, ()) and not made.required:
        notes.append(f"default: {made.default}")
    if made.variable:
        notes.append(f"or {made.variable}")
    text = f"{made.help} ({'; '.join(notes)})" if notes else made.help
    return text.replace("%", "%%")


def read(
    command: Command,
    options: type,
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
) -> Read:
    """Read a command's arguments, and what variables and the project say of what they leave out.

    Raises:
        UsageError: it takes no such argument, or an option's value is none; one sentence.
    """
    parser = parser_of(command, options)
    made = declared(options, command.name)
    namespace, unknown = parser.parse_known_intermixed_args(list(arguments))
    if unknown:
        known = parser._option_string_actions
        word = writable(unknown[0].partition("=")[0])
        raise UsageError(
            f"`{command.name}` takes no `{word}`{hint(word, known)}; "
            f"`{command.started} --help` shows what it takes"
        )
    given = {
        name: _flat(value) if made[name].takes is Takes.VALUES else value
        for name, value in vars(namespace).items()
        if value is not None and not (made[name].positional and value == [])
    }
    sources = dict.fromkeys(given, Source.COMMAND_LINE)
    held = os.environ if environment is None else environment
    for name, one in made.items():
        if name not in given and one.variable and held.get(one.variable, "").strip():
            given[name] = _from_variable(one, held)
            sources[name] = Source.ENVIRONMENT
    projects = project_texts() if any(one.project for one in made.values()) else {}
    for name, one in made.items():
        if name not in given and one.project in projects:
            given[name] = _from_project(one, projects[one.project])
            sources[name] = Source.PROJECT
    for name, one in made.items():
        if _holds(given.get(name)) and _holds(given.get(one.excludes)):
            _let_go(name, one.excludes, made, given, sources)
    return Read(given, sources)


def _holds(value: Any) -> bool:
    """Does it say something? The empty text does: of `--resume` it is the newest run."""
    return value not in (None, False, ())


def _flat(values: Sequence[Any]) -> tuple[Any, ...]:
    """What repeated options or several arguments come to; one may bring several values."""
    return tuple(each for one in values for each in (one if isinstance(one, tuple) else (one,)))


def _called(made: Option, source: Source) -> str:
    """What a person called an option, who gave it there."""
    names = {Source.ENVIRONMENT: made.variable, Source.PROJECT: f"{TABLE}.{made.project}"}
    return names.get(source, made.flag)


def _from_variable(made: Option, held: Mapping[str, str]) -> Any:
    text = held[made.variable].strip()
    VARIABLES[made.variable].value(text)
    if made.takes is Takes.NOTHING:
        return VARIABLES[made.variable].value(text)
    try:
        value = made.read(text)
    except UsageError as error:
        raise UsageError(f"{made.variable}: {error}") from None
    return _flat([value]) if made.takes is Takes.VALUES else value


def _from_project(made: Option, texts: Sequence[str]) -> Any:
    where = f"{NAME}: {TABLE}.{made.project}"
    if made.takes is not Takes.VALUES and len(texts) != 1:
        raise UsageError(f"{where}: expected one value, not {len(texts)}")
    try:
        values = [made.read(text) for text in texts]
    except HarnessError as error:
        raise UsageError(f"{where}: {error}") from None
    return _flat(values) if made.takes is Takes.VALUES else values[0]


def _let_go(
    one: str,
    other: str,
    made: Mapping[str, Option],
    given: dict[str, Any],
    sources: dict[str, Source],
) -> None:
    """Of two options that exclude each other keep the one of the stronger source.

    Raises:
        UsageError: both are of the same.
    """
    if sources[one] is sources[other]:
        called = [_called(made[n], sources[one]) for n in (one, other)]
        raise UsageError(f"{called[0]} and {called[1]} exclude each other")
    weaker = min((one, other), key=lambda name: _STRENGTH.index(sources[name]))
    del given[weaker], sources[weaker]


def run(speaker: str, body: Callable[[], int], *, look: bool = True) -> int:
    """Look at the environment, unless told not to, run a command, and end with its exit code.

    Whatever a person must mend is one sentence on stderr, begun by `speaker`, if it is named.
    """
    never_fail_to_print()
    try:
        if look:
            check()
        return body()
    except HarnessError as error:
        return _refused(speaker, str(error), code_of(error))
    except OSError as error:  # a file that nobody has looked at with care
        place = " -> ".join(os.fsdecode(n) for n in (error.filename, error.filename2) if n)
        why = error.strerror or str(error) or type(error).__name__
        asked = error.errno in _OF_THE_NAME and place
        code = ExitCode.USAGE if asked else ExitCode.INFRASTRUCTURE
        return _refused(speaker, f"{place}: {why}" if place else why, code)
    except KeyboardInterrupt:
        print(f"{speaker}: interrupted" if speaker else "interrupted", file=sys.stderr, flush=True)
        return ExitCode.INTERRUPTED
    finally:
        _close()


def _refused(speaker: str, why: str, code: ExitCode) -> ExitCode:
    text = writable(f"{speaker}: {why}" if speaker else why)
    said = "".join(c if c.isprintable() else " " for c in text)
    print(said, file=sys.stderr, flush=True)
    return code


def say(text: str) -> None:
    """Print; that whoever read it has gone (`| head`) is no failure of the command."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


def _close() -> None:
    """Let a reader that went away (`| head`) not change the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
