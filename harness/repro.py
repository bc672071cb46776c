# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.repro KEY|TEST|DIR`: run the reproducer of an op or of a model.

What it names is run in a process of its own, with a deadline: whatever becomes of that, the command
says how it ended.

Exit codes: 0 it ended with the same fingerprint, 1 with another one, 2 there is no such
reproducer, 3 the device cannot be had.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bringup.harness.device_host.op_run import OpRun
from bringup.harness.errors import DeviceError, HarnessError
from bringup.harness.records.environment import check
from bringup.harness.records.naming import SIZES
from bringup.harness.reduce import child_process as apart
from bringup.harness.reduce.model_reproducer import (
    ModelExpected,
    find_model,
    read_model,
    refuse_untrusted,
)
from bringup.harness.reduce.request import PART_DEADLINE, SECONDS, is_test_id
from bringup.harness.reproduce.lookup import find
from bringup.harness.reproduce.reproducer import EXPECTED, Expected, read_expected
from bringup.harness.storage.writable import never_fail_to_print

_TRUSTED = (
    "--trust: the reproducer may run any code, with your rights: a test file, a library to preload,"
    " an operator, a compiler's option of whoever wrote it"
)


def command_line() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="nox -s repro --",
        description="Run the reproducer of an op, or of a model and reduce that to the ops that are"
        " to blame, and say whether it ends with the same fingerprint.",
        epilog="exit codes: 0 the same, 1 another, 2 no such reproducer, 3 no such device here",
    )
    parser.add_argument(
        "which",
        metavar="KEY|TEST|DIR",
        help="first digits of an op's key, KEY-DEVICE, a model test's key or pytest id, or the"
        " path of a reproducer's directory",
    )
    parser.add_argument("--device", help="of an op or a model test that failed on several")
    parser.add_argument(
        "--size", choices=SIZES, default=SIZES[0], help="of a model test (default %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="to reduce a model (default %(default)g)"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=PART_DEADLINE,
        help="seconds for one part of a model (default %(default)g)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        help="the folder of run directories, or the one, to look in (default %(default)s)",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run whatever the reproducer names: tests that are not of this checkout, variables,"
        " compiler options and operators that are not PyTorch's; only if you know who wrote it",
    )
    parser.add_argument("--verbose", action="store_true", help="print the whole diagnostic")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one reproducer; returns the exit code."""
    options = command_line().parse_args(arguments)
    never_fail_to_print()
    try:
        check()
        return _run(options, sys.argv[1:] if arguments is None else arguments)
    except DeviceError as error:
        print(error, file=sys.stderr)
        return 3
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Look for it, and have it run in a process of its own
    (`bringup.harness.reduce.child_process`).
    """
    inner = apart.is_inner()
    if options.trust and not inner:
        print(_TRUSTED, file=sys.stderr)
    folder = find_model(options.which, options.results, options.device)
    if folder is not None or is_test_id(options.which):
        if inner:
            return _model(options, folder)
        expected = read_model(folder) if folder is not None else None
        if expected is not None and not options.trust:
            refuse_untrusted(expected, f"{folder}/{EXPECTED}")
        end = apart.run("bringup.harness.repro", arguments)
        return _model_ended(expected, end.run) if end.run else end.code or 0
    found = find(options.which, options.results, options.device)
    op = read_expected(found.folder)
    if inner:
        return _op(found.folder, op, trust=options.trust, verbose=options.verbose)
    print(f"{found.folder}: {op.op.name} on {op.device}", flush=True)
    if found.older:
        print(f"(the newest of {len(found.older) + 1}; before it {found.older[0]})", flush=True)
    end = apart.run("bringup.harness.repro", arguments)
    return _op_ended(op, end.run) if end.run else end.code or 0


def _model(options: argparse.Namespace, folder: Path | None) -> int:
    from bringup.harness.reduce.run_model import reproduce_model  # brings pytest along

    return reproduce_model(
        options.which,
        folder,
        options.results,
        device=options.device,
        size=options.size,
        seconds=options.seconds,
        deadline_s=options.deadline,
        trust=options.trust,
    )


def _op(folder: Path, expected: Expected, *, trust: bool, verbose: bool) -> int:
    from bringup.harness.reduce.run_op import compared, reproduce

    ending = reproduce(folder, expected, trust=trust)
    if verbose and ending.diagnostic:
        print(ending.diagnostic)
    same, sentence = compared(expected, ending)
    print(sentence)
    return 0 if same else 1


def _op_ended(expected: Expected, run: OpRun) -> int:
    """An op whose process did not come to its end."""
    from bringup.harness.reduce.run_op import compared, ending_of

    same, sentence = compared(expected, ending_of(run))
    print(f"{_why(run)}\n{sentence}")
    return 0 if same else 1


def _model_ended(expected: ModelExpected | None, run: OpRun) -> int:
    """A model whose process did not come to its end."""
    from bringup.harness.reduce.run_model import how_it_ended
    from bringup.harness.reduce.run_op import ending_of
    from bringup.harness.reduce.search import Ending

    end = ending_of(run)
    same, sentence = how_it_ended(expected, Ending(end.outcome, end.failure, end.status))
    print(f"{_why(run)}\n{sentence}\nIt ends its own process, so there is nothing to reduce.")
    return 0 if same else 1


def _why(run: OpRun) -> str:
    failure = run.failure
    assert failure is not None
    where = f" in stage {failure.stage}" if failure.stage else ""
    return f"It did not come to its end{where}: {failure.message}."


if __name__ == "__main__":
    sys.exit(apart.conclude(main()))
