# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`--model`, `--flow`, `--mode`, `--variant`, `--framework`: each narrows, each in one meaning.

A filter looks at one field of a test's identity. A name it is given is that field's whole value
or, where no test there is has exactly that value, a part of it; a sentence says so. Names of one
filter widen (any of them), filters narrow (all of them). What a name can be is told by the tests
that were collected, never by those that another filter, a list or a device happens to leave: so
`--model bert` means bert and not albert, also where bert itself is not to be run.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from bringup.harness.did_you_mean import hint
from bringup.harness.options.option import declared
from bringup.harness.records.door import command
from bringup.harness.records.schema import Identity, PlannedTest
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.messages import Speaker
from bringup.pipeline.options import RunOptions

_MOST_NAMED = 8


@dataclass(frozen=True)
class Filter:
    """One filter."""

    option: str
    """Its option's name."""
    noun: str
    field: Callable[[Identity], str]

    @property
    def flag(self) -> str:
        """As it is given."""
        return declared(RunOptions)[self.option].flag


FILTERS = (
    Filter("models", "model", lambda i: i.model),
    Filter("flows", "flow", lambda i: i.flow),
    Filter("modes", "mode", lambda i: i.mode),
    Filter("variants", "variant", lambda i: i.variant),
    Filter("frameworks", "framework", lambda i: i.framework),
    Filter("swept", "op", lambda i: i.variant),
)


def named(options: RunOptions) -> list[tuple[Filter, tuple[str, ...]]]:
    """The filters that are given, with their names."""
    pairs = [(f, getattr(options, f.option)) for f in FILTERS]
    return [(f, names) for f, names in pairs if names]


def says_which(options: RunOptions) -> bool:
    """Does the command line say which tests are meant, beside whose loaders?"""
    return bool(options.ids or options.all or options.changed or named(options))


def narrowed(
    tests: Iterable[PlannedTest], options: RunOptions, there: Iterable[Identity], say: Speaker
) -> list[PlannedTest]:
    """The tests that every filter lets through; `there` are all that were collected.

    Raises:
        PipelineError: a filter is given a name that no test has; the sentence says what is like it.
    """
    tests = list(tests)
    known = [*there, *(test.identity for test in tests)]
    for one, names in named(options):
        values = {one.field(identity) for identity in known}
        wanted: set[str] = set()
        for name in names:
            found = meant(name, values)
            if not found:
                raise PipelineError(_unknown(one, name, known))
            if name not in found:
                say(f"no {one.noun} is called {_quoted(name)}: taken as a part of {_list(found)}")
            wanted |= found
        tests = [test for test in tests if one.field(test.identity) in wanted]
    return tests


def meant(name: str, values: Collection[str]) -> set[str]:
    """The values that a name stands for: itself, or else all that it is a part of."""
    if name in values:
        return {name}
    return {value for value in values if name and name in value}


def spoken(options: RunOptions) -> str:
    """The filters as a sentence names them: `model bert or t5, flow full`; empty for none."""
    return ", ".join(
        f"{one.noun} {' or '.join(map(_quoted, names))}" for one, names in named(options)
    )


def _unknown(one: Filter, name: str, known: Sequence[Identity]) -> str:
    values = {one.field(identity) for identity in known} - {""}
    if not name:
        return f"{one.flag} needs a name: no test has an empty {one.noun}"
    said = f"no {one.noun} has {_quoted(name)} in its name"
    elsewhere = [f for f in FILTERS if any(f.field(i) == name for i in known)]
    if elsewhere:
        return f"{said}; a {elsewhere[0].noun} is called so: {elsewhere[0].flag} {name}"
    if "/" in name or "::" in name:
        return (
            f"{said}; a test, file or folder is named without {one.flag}: `{command('run', name)}`"
        )
    return f"{said}{hint(name, values) or f'; there are {_list(values)}'}"


def _list(values: Collection[str]) -> str:
    listed = sorted(values)
    more = len(listed) - _MOST_NAMED
    return ", ".join(map(_quoted, listed[:_MOST_NAMED])) + (f" and {more} more" if more > 0 else "")


def _quoted(name: str) -> str:
    return f"`{name}`"
