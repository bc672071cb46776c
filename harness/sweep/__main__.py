# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.sweep [--json] [OP ...]`: the sweep's cases, a line or an object each.

The table is read and nothing else: no tensor is made and torch is not imported.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.options.command_line import Command, read, run, say
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option
from bringup.harness.sweep.catalog import table
from bringup.harness.sweep.rows import Row, T

COMMAND = Command(
    name="sweep",
    prog="python -m bringup.harness.sweep",
    says="List the cases of the op sweep.",
    examples=(("", "all of them"), ("convolution --json", "of one op, for a program")),
)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    ops: tuple[str, ...] = option((), "OP", "only ops of this name, or with it in their name")
    json: bool = option(False, "--json", "print JSON")


class ListedCase(msgspec.Struct, frozen=True):
    """A case as it is listed."""

    name: str
    op: str
    """`aten.add.Tensor`."""
    dtype: str
    """Of its first operand; empty where it takes none."""
    rank: int
    """Of the largest operand; 0 where it takes none."""


def listed(ops: Sequence[str] = ()) -> list[ListedCase]:
    """The cases of ops by their names, or by a part of them.

    Raises:
        UsageError: no op is called so.
    """
    wanted = {name for text in ops for name in _meant(text)}
    return [
        _listed(row, name, args)
        for row in table().values()
        if not ops or row.op in wanted
        for name, args in ((c.name, (*c.args, *c.kwargs.values())) for c in row.calls)
    ]


def _meant(text: str) -> list[str]:
    names = list(table())
    found = [name for name in names if name == text] or [n for n in names if text and text in n]
    if not found:
        raise UsageError(f"the sweep has no op with {text!r} in its name{hint(text, names)}")
    return found


def _listed(row: Row, name: str, args: Iterable[Any]) -> ListedCase:
    operands = list(_operands(args))
    dtype = operands[0].dtype if operands else ""
    rank = max((len(o.shape) for o in operands), default=0)
    op = f"aten.{row.op}" if "." in row.op else f"aten.{row.op}.default"
    return ListedCase(f"{row.op}/{name}", op, dtype, rank)


def _operands(args: Iterable[Any]) -> Iterator[T]:
    for each in args:
        if isinstance(each, T):
            yield each
        elif isinstance(each, tuple | list):
            yield from _operands(each)


def main(arguments: Sequence[str] | None = None) -> int:
    """List the cases."""
    words = sys.argv[1:] if arguments is None else arguments
    return run("", lambda: _main(words), look=False)


def _main(words: Sequence[str]) -> int:
    options = Options(**read(COMMAND, Options, words).values)
    found = listed(options.ops)
    if options.json:
        say(msgspec.json.encode(found).decode())
        return ExitCode.KEPT
    for case in found:
        say(case.name)
    say(f"{len(found)} cases of {len({case.op for case in found})} ops")
    return ExitCode.KEPT


if __name__ == "__main__":
    raise SystemExit(main())
