# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One declaration per option: a field of a dataclass, with everything that anybody asks of it.

    @dataclass(frozen=True)
    class Options:
        models: tuple[str, ...] = option((), "--model", "only this model", kept=Kept.ALWAYS)

The field's name, type and default are the option's; the rest stands beside them. Of that the
parser, its help (`command_line`), the environment variable that stands for it, and what a plan
keeps of it (`texts_of`, `value_of`) are made, so none of them can say otherwise.
"""

import dataclasses
import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bringup.harness.errors import UsageError

T = TypeVar("T")

_KEY = "option"
_SET = ("yes",)
"""What a plan says of a flag that was given."""


class Source(enum.StrEnum):
    """Where an option's value came from; the later ones go before the earlier."""

    DEFAULT = "default"
    PROJECT = "pyproject.toml"
    ENVIRONMENT = "environment"
    PLAN = "plan"
    COMMAND_LINE = "command line"


class Takes(enum.Enum):
    """What stands behind an option."""

    VALUE = enum.auto()
    VALUES = enum.auto()
    """The option may be repeated, a positional one be several arguments; the value is a tuple."""
    NOTHING = enum.auto()
    """It is a flag."""
    MAYBE = enum.auto()
    """A value, or nothing, which is the empty text."""


class Kept(enum.Enum):
    """Does a plan keep it, so that whoever carries the plan out or resumes it means the same?"""

    NO = enum.auto()
    ALWAYS = enum.auto()
    """Every plan says it; one that does not cannot be carried out."""
    LATER = enum.auto()
    """Plans of older versions do not say it, and mean its default."""


@dataclass(frozen=True)
class Option:
    """What is said of an option beside its name, type and default."""

    flag: str
    """`--device`; for a positional one what errors and plans call it, without dashes."""
    help: str
    default: Any = None
    parse: Callable[[str], Any] = str
    """From an argument to a value, of a repeated option to a tuple of them.

    Raises ValueError or UsageError: a sentence.
    """
    takes: Takes = Takes.VALUE
    metavar: str = ""
    choices: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    """The commands that take it; empty for all that share the dataclass."""
    variable: str = ""
    """The environment variable that stands for it where it is not given."""
    kept: Kept = Kept.NO
    default_says: str = ""
    """In words, what holds when it is not given, where its default does not say."""
    required: bool = False
    excludes: str = ""
    """The name of an option that cannot hold beside it."""
    project: str = ""
    """The key of `[tool.bringup]` that stands for it where neither it nor its variable is given."""

    @property
    def positional(self) -> bool:
        """Is it given without a flag before it?"""
        return not self.flag.startswith("-")

    def taken_by(self, verb: str) -> bool:
        """Does a command take it?"""
        return not self.verbs or verb in self.verbs

    def read(self, text: str) -> Any:
        """The value of one argument.

        Raises:
            UsageError: it is none.
        """
        if self.choices and text not in self.choices:
            there = ", ".join(self.choices)
            raise UsageError(f"{self.flag}: invalid choice: {text!r}; there are {there}")
        try:
            return self.parse(text)
        except ValueError as error:
            raise UsageError(f"{self.flag} {text!r}: {error}") from None


def option(
    default: T,
    flag: str,
    help: str,
    *,
    parse: Callable[[str], Any] = str,
    takes: Takes | None = None,
    metavar: str = "",
    choices: Sequence[str] = (),
    verbs: Collection[str] = (),
    variable: str = "",
    kept: Kept = Kept.NO,
    default_says: str = "",
    required: bool = False,
    excludes: str = "",
    project: str = "",
) -> T:
    """A field of a dataclass that is an option; see `Option`.

    What it takes follows from the default, unless it is said: a flag's is False, of an option that
    may be repeated a tuple.
    """
    if takes is None:
        takes = (
            Takes.NOTHING if default is False else Takes.VALUES if default == () else Takes.VALUE
        )
    made = Option(
        flag=flag,
        help=help,
        default=default,
        parse=parse,
        takes=takes,
        metavar=metavar,
        choices=tuple(choices),
        verbs=frozenset(verbs),
        variable=variable,
        kept=kept,
        default_says=default_says,
        required=required,
        excludes=excludes,
        project=project,
    )
    return field(default=default, metadata={_KEY: made})


def declared(options: Any, verb: str = "") -> dict[str, Option]:
    """The options of a dataclass by their fields' names, in order; of one command, if named."""
    found = {f.name: f.metadata[_KEY] for f in dataclasses.fields(options) if _KEY in f.metadata}
    return {name: o for name, o in found.items() if not verb or o.taken_by(verb)}


# --- what a plan keeps ----------------------------------------------------------------------


def texts_of(made: Option, value: Any) -> tuple[str, ...]:
    """An option's value as a plan keeps it; the order of repeated ones plays no part."""
    if made.takes is Takes.VALUES:
        return tuple(sorted(set(value)))
    if made.takes is Takes.NOTHING:
        return _SET if value else ()
    return () if value in (None, "") else (str(value),)


def value_of(made: Option, texts: Sequence[str]) -> Any:
    """An option's value from what a plan kept, which may be anybody's.

    Raises:
        UsageError: it is none of its values.
    """
    if made.takes is Takes.NOTHING:
        return bool(texts)
    if made.takes is Takes.VALUES:
        return tuple(texts)
    if not texts:
        return made.default
    if len(texts) > 1:
        raise UsageError(f"{made.flag} has one value, and not {len(texts)}")
    return made.read(texts[0])


def spoken(made: Option, texts: Sequence[str]) -> str:
    """An option as one would give it: `--model bert --model t5`, `--all`."""
    if made.positional:
        return " ".join(texts)
    if made.takes is Takes.NOTHING:
        return made.flag
    return " ".join(f"{made.flag} {text}" for text in texts)


def sources_of(options: Any, sources: Mapping[str, Source], verb: str) -> list[tuple[str, Source]]:
    """Every option of a command as one would give it, and where its value came from."""
    found = []
    for name, made in declared(options, verb).items():
        texts = texts_of(made, getattr(options, name))
        found.append((spoken(made, texts) or made.flag, sources.get(name, Source.DEFAULT)))
    return found
