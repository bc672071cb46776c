# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.reports build`: arguments in, exit code out.

What reads records or draws is imported when a verb runs: a help is there at once.
"""

import argparse
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bringup.harness.did_you_mean import hint
from bringup.harness.options import project
from bringup.harness.options.command_line import Command, parser_of, read, run
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option
from bringup.harness.records.door import program
from bringup.reports import catalog
from bringup.reports.errors import ReportError
from bringup.reports.reporter import ArtifactChoice, ModelsReporter, Reporter

if TYPE_CHECKING:
    from bringup.reports.build import Built, BuiltModels

VERBS = ("build", "ops")


def commands() -> dict[str, Command]:
    """By verb, with the documents of the formats that there are."""
    notes = "written, what is on ops when tests went op by op:\n" + _documents(catalog.formats())
    return {
        "build": Command(
            name="build",
            prog=program("report"),
            says="Write the documents of one merged run into its directory.",
            examples=(
                ("", "the newest merged run below results/"),
                ("results/nightly-20261128T021700Z", "this one; it is merged first, if nobody did"),
                ("--format xlsx,html", "in these formats only"),
                ("--format summary,webhook", "what is told of it in a pull request and in a chat"),
                ("--serve", "in a browser, while the newest run runs and afterwards"),
                ("--ir failed", "IR pages of what needs attention only"),
            ),
            notes=notes,
        ),
        "ops": Command(
            name="ops",
            prog=program("ops"),
            says="Write the documents on models op by op into the results folder: of every model "
            "the newest op-by-op results over all merged runs below it.",
            examples=(("--results nights", "of the runs below another folder"),),
        ),
    }


def _documents(formats: Mapping[str, Reporter]) -> str:
    """A line per file, each with the format that writes it."""
    lines = [(n, file, says) for n, r in formats.items() for file, says in r.WRITES.items()]
    format_width, file_width = (max((len(line[i]) for line in lines), default=0) for i in (0, 1))
    return "\n".join(f"  {n:{format_width}}  {f:{file_width}}  {says}" for n, f, says in lines)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise ValueError(f"expected names with commas between them, not {text!r}")
    return names


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise ValueError("expected a number from 0 to 65535")
    return int(text)


@dataclass(frozen=True)
class Options:
    """The options of every verb."""

    run_dir: Path | None = option(
        None,
        "RUN_DIR",
        "a merged run",
        parse=Path,
        metavar="RUN_DIR",
        verbs=["build"],
        default_says="the newest below --results",
    )
    results: Path = option(
        Path("results"), "--results", "the folder of merged runs", parse=Path, metavar="DIR"
    )
    ir: str = option(
        ArtifactChoice.ALL.value,
        "--ir",
        "whose kept IR and diagnostics become pages",
        choices=[choice.value for choice in ArtifactChoice],
        verbs=["build"],
    )
    formats: tuple[str, ...] = option(
        (),
        "--format",
        "write these only; may be repeated",
        parse=_names,
        metavar="NAME[,NAME]",
        default_says="all but those on demand",
    )
    serve: bool = option(
        False,
        "--serve",
        "write nothing: show how far a run is while it runs, and its page once it is written",
        verbs=["build"],
    )
    host: str = option(
        "127.0.0.1",
        "--host",
        "the address to serve at; any other lets other machines read the run",
        metavar="ADDRESS",
        verbs=["build"],
    )
    port: int = option(
        8765,
        "--port",
        "the port to serve at; 0 is any free one",
        parse=_port,
        metavar="PORT",
        verbs=["build"],
    )
    lists: Path = option(
        Path(project.LISTS),
        "--lists",
        "where aliases.toml says what tests were called before",
        parse=Path,
        metavar="DIR",
        project="lists",
    )


def command_line(verb: str = "build") -> argparse.ArgumentParser:
    """The parser of a verb, as documentation reads it."""
    return parser_of(commands()[verb], Options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return run("reports", lambda: start(words))


def start(words: Sequence[str]) -> int:
    """Carry out a verb and return its exit code.

    Raises:
        HarnessError: what is asked for is wrong; one sentence.
    """
    if not words:
        raise ReportError(f"say which VERB: {', '.join(VERBS)}")
    verb, *rest = words
    if verb in ("-h", "--help"):
        print("\n\n".join(command_line(verb).format_help() for verb in VERBS))
        return ExitCode.KEPT
    if verb not in VERBS:
        there = ", ".join(VERBS)
        raise ReportError(f"there is no verb `{verb}`{hint(verb, VERBS)}; there are {there}")
    options = Options(**read(commands()[verb], Options, rest).values)
    reporters = catalog.chosen(options.formats)
    if options.serve:
        return _serve(options)
    return _ops(options, reporters) if verb == "ops" else _build(options, reporters)


def _build(options: Options, reporters: Sequence[Reporter]) -> ExitCode:
    from rich.console import Console

    from bringup.harness.records.aliases import read_aliases
    from bringup.reports.attempts import Attempts
    from bringup.reports.build import build, build_results, newest_run
    from bringup.reports.terminal import print_summary

    run_dir = options.run_dir or newest_run(options.results)
    aliases = read_aliases(options.lists)  # before anything is written: it may be refused
    built = build(run_dir, ArtifactChoice(options.ir), reporters)
    recent = _recent(built, options.results, aliases, reporters, ArtifactChoice(options.ir))
    inside = run_dir.resolve().is_relative_to(options.results.resolve())
    index = build_results(options.results, reporters) if inside else Attempts()
    print_summary(built, Console(emoji=False), recent, index.documents)
    return _code((*built.failures, *(recent.made.failures if recent else ()), *index.failures))


def _serve(options: Options) -> ExitCode:
    """Serve one run until the user ends it."""
    from bringup.harness.records.run_dir import no_run
    from bringup.reports.live.runs import newest_live
    from bringup.reports.live.server import LiveServer

    run_dir = options.run_dir or newest_live(options.results)
    if not run_dir.is_dir():
        raise ReportError(no_run(run_dir))
    try:
        server = LiveServer(run_dir, options.host, options.port)
    except OSError as error:
        where = f"{options.host} port {options.port}"
        raise ReportError(f"cannot serve at {where}: {error.strerror or error}") from error
    with server:
        print(f"{run_dir} at {server.address} (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return ExitCode.KEPT


def _ops(options: Options, reporters: Sequence[Reporter]) -> ExitCode:
    from rich.console import Console

    from bringup.harness.records.aliases import read_aliases
    from bringup.reports.build import build_models
    from bringup.reports.terminal import print_models

    built = build_models(options.results, read_aliases(options.lists), reporters)
    print_models(built, Console(emoji=False))
    return _code(built.made.failures)


def _recent(
    built: "Built",
    results: Path,
    aliases: Mapping[str, str],
    reporters: Sequence[Reporter],
    choice: ArtifactChoice,
) -> "BuiltModels | None":
    """A run with ops changes what is newest of all models below `results`, if it is there."""
    from bringup.reports.build import build_models

    inside = built.folder.resolve().is_relative_to(results.resolve())
    able = any(isinstance(reporter, ModelsReporter) for reporter in reporters)
    if not (able and inside and built.run.any_ops):
        return None
    return build_models(results, aliases, reporters, choice)


def _code(failures: Sequence[str]) -> ExitCode:
    """What becomes of formats that failed; the same said of two folders is said once."""
    for sentence in dict.fromkeys(failures):
        print(f"reports: {sentence}", file=sys.stderr)
    return ExitCode.INFRASTRUCTURE if failures else ExitCode.KEPT
