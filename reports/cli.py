# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.reports build`: arguments in, exit code out.

What reads records or draws is imported when a verb runs: a help is there at once.
"""

import argparse
import enum
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.errors import HarnessError
from bringup.reports import catalog
from bringup.reports.reporter import ArtifactChoice, ModelsReporter, Reporter

if TYPE_CHECKING:
    from bringup.reports.build import Built, BuiltModels


class ExitCode(enum.IntEnum):
    """What a command says to its caller; as in `bringup.pipeline`."""

    WRITTEN = 0
    """The documents are there, whatever the results in them."""
    USAGE = 2
    """Wrong options, or a run that cannot be read; nothing was written."""
    LOST = 3
    """A format could not write its documents; the others did."""


_EPILOG = """\
examples:
  nox -s report                            the newest merged run below results/
  nox -s report -- results/nightly-...     this one
  nox -s report -- --format xlsx,html      in these formats only
  nox -s report -- --ir failed             IR pages of what needs attention only

written into the run directory, those on ops when tests went op by op:
{documents}

exit codes:
  0  the documents were written, whatever the results in them
  2  wrong usage, or the run cannot be read; one sentence on stderr says why
  3  a format could not be written, the others were; a sentence on stderr each
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        return _run(arguments)
    except HarnessError as error:
        print(f"reports: {error}", file=sys.stderr)
        return ExitCode.USAGE


def _run(arguments: Sequence[str] | None) -> ExitCode:
    options = _parser().parse_args(arguments)
    from bringup.harness.records.environment import check
    from bringup.harness.storage.writable import never_fail_to_print

    never_fail_to_print()
    check()
    reporters = catalog.chosen([name for names in options.format for name in names])
    return _ops(options, reporters) if options.verb == "ops" else _build(options, reporters)


def _build(options: argparse.Namespace, reporters: Sequence[Reporter]) -> ExitCode:
    from rich.console import Console

    from bringup.harness.records.aliases import read_aliases
    from bringup.reports.build import build, newest_run
    from bringup.reports.terminal import print_summary

    run_dir = options.run_dir or newest_run(options.results)
    aliases = read_aliases(options.lists)  # before anything is written: it may be refused
    built = build(run_dir, ArtifactChoice(options.ir), reporters)
    recent = _recent(built, options.results, aliases, reporters)
    print_summary(built, Console(), recent)
    return _code((*built.failures, *(recent.made.failures if recent else ())))


def _ops(options: argparse.Namespace, reporters: Sequence[Reporter]) -> ExitCode:
    from rich.console import Console

    from bringup.harness.records.aliases import read_aliases
    from bringup.reports.build import build_models
    from bringup.reports.terminal import print_models

    built = build_models(options.results, None, read_aliases(options.lists), reporters)
    print_models(built, Console())
    return _code(built.made.failures)


def _recent(
    built: "Built", results: Path, aliases: Mapping[str, str], reporters: Sequence[Reporter]
) -> "BuiltModels | None":
    """A run with ops changes what is newest of all models below `results`, if it is there."""
    from bringup.reports.build import build_models

    inside = built.folder.resolve().is_relative_to(results.resolve())
    able = any(isinstance(reporter, ModelsReporter) for reporter in reporters)
    if not (able and inside and built.run.any_ops):
        return None
    return build_models(results, built, aliases, reporters)


def _code(failures: Sequence[str]) -> ExitCode:
    """What becomes of formats that failed; the same said of two folders is said once."""
    for sentence in dict.fromkeys(failures):
        print(f"reports: {sentence}", file=sys.stderr)
    return ExitCode.LOST if failures else ExitCode.WRITTEN


# --- arguments -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    formats = catalog.formats()
    shape = argparse.RawDescriptionHelpFormatter
    epilog = _EPILOG.format(documents=_documents(formats))
    parser = argparse.ArgumentParser(
        prog="python -m bringup.reports",
        description="Documents from the records of a run.",
        epilog=epilog,
        formatter_class=shape,
    )
    commands = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    command = commands.add_parser(
        "build",
        prog="nox -s report --",
        help="write the documents of one merged run",
        description="Write the documents of one merged run into its directory.",
        epilog=epilog,
        formatter_class=shape,
    )
    command.add_argument("run_dir", nargs="?", type=Path, metavar="RUN_DIR", help="a merged run")
    command.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="where to look for the newest merged run when none is named (default: results)",
    )
    command.add_argument(
        "--ir",
        choices=[choice.value for choice in ArtifactChoice],
        default=ArtifactChoice.ALL.value,
        help="whose kept IR and diagnostics become pages (default: all)",
    )
    ops = commands.add_parser(
        "ops",
        help="write the documents on ops of all models recently run",
        description="Write the documents on models op by op into the results folder: of every "
        "model the newest op-by-op results over all merged runs below it.",
    )
    ops.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="the folder of merged runs, and where the files go (default: results)",
    )
    for verb in (command, ops):
        _add_common(verb, formats)
    return parser


def _add_common(parser: argparse.ArgumentParser, formats: Mapping[str, Reporter]) -> None:
    parser.add_argument(
        "--format",
        type=_names,
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help=f"write these only, of {', '.join(formats)} (default: all)",
    )
    parser.add_argument(
        "--lists",
        type=Path,
        default=Path("tests/lists"),
        metavar="DIR",
        help="where aliases.toml says what tests were called before (default: tests/lists)",
    )


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names with commas between them, not {text!r}")
    return names


def _documents(formats: Mapping[str, Reporter]) -> str:
    """A line per file, each with the format that writes it."""
    lines = [(n, file, says) for n, r in formats.items() for file, says in r.WRITES.items()]
    format_width, file_width = (max((len(line[i]) for line in lines), default=0) for i in (0, 1))
    return "\n".join(f"  {n:{format_width}}  {f:{file_width}}  {says}" for n, f, says in lines)
