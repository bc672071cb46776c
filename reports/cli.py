# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.reports build`: arguments in, exit code out."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bringup.harness.errors import HarnessError
from bringup.harness.records.aliases import read_aliases
from bringup.harness.records.environment import check
from bringup.harness.storage.writable import never_fail_to_print
from bringup.reports.build import Built, BuiltOps, build, build_ops, newest_run
from bringup.reports.html.text_pages import Choice
from bringup.reports.terminal import print_ops, print_summary

_EPILOG = """\
examples:
  nox -s report                            the newest merged run below results/
  nox -s report -- results/nightly-...     this one
  nox -s report -- --ir failed             IR pages of what needs attention only

written into the run directory:
  index.html    one file, opens offline; links to ir/ and models.xlsx beside it
  models.xlsx   Summary, Models, and where they apply Missing and Proposed list moves
  ir/*.html     kept IR and diagnostics, one page per distinct text

written besides, when tests went op by op:
  ops/*.html                 a page per model with all its ops
  models/*_unique_ops.json   a file per model in tt-torch's field names
  models_op_per_op.xlsx      and .md: these models here, and in results/ all models recently run

exit codes:
  0  the documents were written, whatever the results in them
  2  wrong usage, or the run cannot be read or written; one sentence on stderr says why
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    never_fail_to_print()
    try:
        check()
        if options.verb == "ops":
            print_ops(build_ops(options.results, None, read_aliases(options.lists)), Console())
            return 0
        run_dir = options.run_dir or newest_run(options.results)
        built = build(run_dir, Choice(options.ir))
        recent = _recent(built, options.results, read_aliases(options.lists))
    except HarnessError as error:
        print(f"reports: {error}", file=sys.stderr)
        return 2
    print_summary(built, Console(), recent)
    return 0


def _recent(built: Built, results: Path, aliases: Mapping[str, str]) -> BuiltOps | None:
    """A run with ops changes what is newest of all models below `results`, if it is there."""
    inside = built.html.resolve().is_relative_to(results.resolve())
    return build_ops(results, built, aliases) if built.ops_xlsx and inside else None


def _parser() -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m bringup.reports",
        description="Documents from the records of a run.",
        epilog=_EPILOG,
        formatter_class=shape,
    )
    commands = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    command = commands.add_parser(
        "build",
        prog="nox -s report --",
        help="write index.html, models.xlsx and the IR pages of one merged run",
        description="Write every document of one merged run into its directory.",
        epilog=_EPILOG,
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
        choices=[choice.value for choice in Choice],
        default=Choice.ALL.value,
        help="whose kept IR and diagnostics become pages (default: all)",
    )
    _add_lists(command)
    ops = commands.add_parser(
        "ops",
        help="write models_op_per_op.xlsx of all models recently run",
        description="Write models_op_per_op.xlsx and .md into the results folder: of every model "
        "the newest op-by-op results over all merged runs below it.",
    )
    ops.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="the folder of merged runs, and where the files go (default: results)",
    )
    _add_lists(ops)
    return parser


def _add_lists(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lists",
        type=Path,
        default=Path("tests/lists"),
        metavar="DIR",
        help="where aliases.toml says what tests were called before (default: tests/lists)",
    )
