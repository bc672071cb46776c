# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup VERB`: arguments in, exit code out."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from bringup.harness.errors import HarnessError, RecordError
from bringup.harness.records.environment import check
from bringup.harness.records.naming import SIZES
from bringup.harness.storage.writable import never_fail_to_print
from bringup.pipeline import commands as verbs
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.lists.expectations import ExitCode
from bringup.pipeline.messages import Speaker, hint
from bringup.pipeline.planning.selection import SESSIONS, RunOptions
from bringup.pipeline.planning.shard import parse_shard
from bringup.pipeline.planning.verdict_cache import share
from bringup.pipeline.results.finish import finish_runs

_EPILOG = """\
examples:
  nox -s nightly                                   the nightly lists on every device that is here
  nox -s nightly -- --device cpu,n150 --dry-run    what would run, in which order
  nox -s plan -- --shards 5                                which of five jobs runs which test
  nox -s nightly -- --plan results/plan.json --shard 2/5   one job of five
  nox -s merge -- shards --plan results/plan.json --into night   one run of them all
  nox -s promote -- night --write                  edit the lists by the night's evidence
  nox -s run -- tests/models/t5/test_t5.py --model full --device cpu
  nox -s nightly -- --resume                       go on with the newest night that was cut off
  nox -s op_by_op -- --model bert --device n150    every op of bert alone
  nox -s op_by_op -- --model bert --recheck 2%     audit a fiftieth of what the verdict cache says
  nox -s lists                                     everything that is wrong with the lists

exit codes:
  0    every test did what its list promises
  1    some test did not
  2    wrong options, names or lists; nothing was run, one sentence says why
  3    some test was stopped by something that is not the model, or never ran:
       a device or file that is not there, memory, a full disk, a session that died
  130  interrupted; what ran is recorded as KILLED, the rest as NOT_RUN

A full model keeps its promise when it passes, or compiles where the device only compiles; the
end-to-end compile list when it stops where asked. Each test may run 900 s, or three times its
estimate if that is longer; --timeout sets another limit for all.

Op by op takes verdicts out of a cache, BRINGUP_CACHE (a directory, or a file such as
verdicts.sqlite; default: ~/.cache/bringup). After a run, once a day, verdicts not used for
BRINGUP_CACHE_DAYS (90) days are forgotten, and the least recently used above BRINGUP_CACHE_GIB (4).
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in a sentence, without the usage around it."""

    def error(self, message: str) -> NoReturn:
        raise PipelineError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if arguments is None:  # until a run has handlers of its own
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        arguments = sys.argv[1:]
    never_fail_to_print()
    try:
        check()
        return _main(arguments)
    except RecordError as error:
        return _complain(error, ExitCode.INFRASTRUCTURE)
    except HarnessError as error:
        return _complain(error, ExitCode.USAGE)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    finally:
        _close()


def _main(arguments: Sequence[str]) -> int:
    parser, commands = _parser()
    if arguments and not arguments[0].startswith("-") and arguments[0] not in commands:
        verb = arguments[0]
        raise PipelineError(
            f"there is no verb `{verb}`{hint(verb, commands)}; there are {', '.join(commands)}"
        )
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        known = commands[options.verb]._option_string_actions
        word = unknown[0].partition("=")[0]
        raise PipelineError(
            f"`{options.verb}` takes no `{word}`{hint(word, known)}; "
            f"`nox -s {options.verb} -- --help` shows what it takes"
        )
    say = Speaker(sys.stdout)
    if options.verb == "merge":
        return verbs.merge_runs(options.run_dirs, options.into, say, options.plan)
    if options.verb == "history":
        from bringup.pipeline import history_verbs  # and with it the database: only who asks waits

        return history_verbs.act(options, say)
    if options.verb == "finish":
        finish_runs(options.run_dirs, say)
        return ExitCode.KEPT
    if options.verb == "promote":
        return verbs.promote(options.run_dir, _run_options(options), options.write, say)
    if options.verb == "lists":
        return verbs.check_lists(_run_options(options), say)
    if options.verb == "plan":
        chosen = _run_options(options, options.session)
        return verbs.make_plan(chosen, options.shards, options.target, say)
    return verbs.run(_run_options(options), say)


def _run_options(options: argparse.Namespace, session: str = "") -> RunOptions:
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(options).items()
        if name in RunOptions.__dataclass_fields__ and name != "session" and value is not None
    }
    said = frozenset(name for name, value in given.items() if value not in ((), False))
    return RunOptions(session=session or options.verb, given=said, **given)


def _complain(error: Exception, code: ExitCode) -> ExitCode:
    Speaker(sys.stderr)(f"bringup: {error}")
    return code


def _close() -> None:
    """Let a reader that went away (`| head`) not change the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


# --- options --------------------------------------------------------------------------------


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(
        prog="bringup",
        description="Runs models on devices by lists, records what happens, moves the lists.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        shape = argparse.RawDescriptionHelpFormatter
        found: argparse.ArgumentParser = commands.add_parser(
            name,
            prog=f"nox -s {name} --",
            help=text,
            description=text,
            epilog=_EPILOG,
            formatter_class=shape,
            allow_abbrev=False,
        )
        return found

    for name, text in (
        ("nightly", "run the nightly lists: full model execute, e2e compile, op by op"),
        ("weekly", "run the weekly op-by-op list"),
        ("e2e_compile", "run the nightly e2e compile list"),
        ("op_by_op", "run every op alone: of the models named, of --all, or of the nightly list"),
        ("run", "run tests by id, function, file, folder or --model"),
    ):
        runs = command(name, text)
        _add_run_options(runs)
        if name in ("run", "op_by_op"):
            _add_ids(runs)
        if name == "op_by_op":
            _add_op_by_op_options(runs)
    planning = command("plan", "choose the tests once, for all shards of a run")
    planning.add_argument(
        "--session", choices=(*SESSIONS, "run"), default="nightly", help="default: nightly"
    )
    planning.add_argument("--shards", type=_count, required=True, metavar="N", help="how many")
    planning.add_argument(
        "--output",
        dest="target",
        type=Path,
        default=Path("results/plan.json"),
        metavar="FILE",
        help="default: results/plan.json",
    )
    _add_ids(planning)
    _add_op_by_op_options(planning)
    _add_choosing_options(planning)
    finishing = command("finish", "merge runs in place that plain pytest left, or a kill cut off")
    finishing.add_argument("run_dirs", nargs="+", type=Path, metavar="DIR", help="a run")
    merging = command("merge", "make one run of many shards")
    merging.add_argument(
        "run_dirs", nargs="+", type=Path, metavar="DIR", help="a shard's run, or a folder of them"
    )
    merging.add_argument(
        "--plan", type=Path, metavar="FILE", help="the plan of all shards, whether they came or not"
    )
    merging.add_argument("--into", type=Path, required=True, metavar="DIR", help="the whole run")
    _add_history_options(command("history", "add to what earlier runs found, and take care of it"))
    promoting = command("promote", "propose the list moves that a run's records support")
    promoting.add_argument("run_dir", nargs="?", type=Path, metavar="RUN", help="default: newest")
    promoting.add_argument("--write", action="store_true", help="make the moves")
    checking = command("lists", "say everything that is wrong with the lists")
    for one in (promoting, checking):
        _add_places(one)
    _add_devices_from(checking)
    return parser, dict(commands.choices)


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="pytest ids without a device")


def _add_op_by_op_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="every model there is")
    parser.add_argument("--split", choices=("torch", "stablehlo"), help="default: torch")


def _add_choosing_options(parser: argparse.ArgumentParser) -> None:
    """What says which tests run, and how; a plan of all shards keeps it."""
    add = parser.add_argument
    add(
        "--device",
        dest="devices",
        type=_names,
        action="extend",
        metavar="NAME[,NAME]",
        help="only these devices (default: of lists all that are here; of tests chosen by id, "
        "--model or --all those that execute)",
    )
    add(
        "--model",
        dest="models",
        action="append",
        metavar="TEXT",
        help="only tests of the model, folder, file or function TEXT or, if nothing is called "
        "exactly that, with TEXT in their name; repeat for more",
    )
    add("--run-id", metavar="NAME", help="the same for all shards of a run")
    add("--durations", type=Path, metavar="FILE", help="default: results/durations.json")
    add("--size", choices=SIZES, help="tiny: a few layers of each model, to rehearse")
    cached = parser.add_mutually_exclusive_group()
    cached.add_argument(
        "--recheck",
        type=share,
        metavar="SHARE",
        help="op by op: compute a random share of the cached verdicts again, e.g. 2%% "
        "(default: 2%% in nightly and weekly, else none; 0 for none)",
    )
    cached.add_argument(
        "--no-cache", action="store_true", help="op by op: compute every op, whatever is cached"
    )
    add("--dry-run", action="store_true", help="print the plan and run nothing")
    _add_places(parser)
    _add_devices_from(parser)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    _add_choosing_options(parser)
    add = parser.add_argument
    add("--shard", type=parse_shard, metavar="I/N", help="only the I-th of N parts")
    add("--workers", type=_count, metavar="N", help="tests at a time (default: cores, memory)")
    add("--timeout", dest="timeout_s", type=_seconds, metavar="SECONDS", help="for each test")
    add("--output", type=Path, metavar="DIR", help="default: results/SESSION-TIME")
    add(
        "--plan",
        type=Path,
        metavar="FILE",
        help="the plan of all shards, by `nox -s plan`: it says which tests run",
    )
    add(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN_DIR",
        help="go on with a run that was stopped or killed (default: the newest unfinished one)",
    )


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lists", type=Path, metavar="DIR", help="default: tests/lists")
    parser.add_argument("--tests", metavar="DIR", help="default: tests/models")


def _add_devices_from(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--devices-from",
        type=Path,
        metavar="FILE",
        help="what `nox -s devices -- --json` printed, instead of asking it now",
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of workers")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds")
    return number


def _add_history_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "action",
        choices=("add", "rebuild", "verify", "prune", "renames"),
        help="what to do with it",
    )
    add(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="add: a run directory, a JUnit XML file, *_unique_ops.json files, "
        "github:OWNER/NAME/RUN_ID; rebuild: folders of runs (default: results)",
    )
    add("--history", metavar="ADDRESS", help="default: BRINGUP_HISTORY, or results/history")
    add("--device", metavar="NAME", default="", help="add: of imported tests that name none")
    add("--forget", action="store_true", help="rebuild: give up runs that are nowhere whole")
    add("--days", type=_positive, metavar="N", help="prune: forget runs that are older")
    add("--gib", type=_positive, metavar="N", help="prune: forget the oldest above so much")
    add("--lists", dest="lists", type=Path, default=Path("tests/lists"), metavar="DIR")


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"`{text}` is no number above 0")
    return number
