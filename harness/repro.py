# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m harness.repro KEY|TEST|DIR`: run the reproducer of an op or of a model.

Exit codes: 0 it ended with the same fingerprint, 1 with another one, 2 there is no such
reproducer, 3 the device cannot be had.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import DeviceError, HarnessError
from harness.op_by_op.finding import find
from harness.op_by_op.repro import compared, reproduce
from harness.op_by_op.reproducer import read_expected
from harness.records.environment import check
from harness.records.naming import SIZES
from harness.records.writable import never_fail_to_print
from harness.reduce.model_reproducer import find_model
from harness.reduce.request import PART_DEADLINE, SECONDS, is_test_id

_TRUSTED = (
    "--trust: the reproducer may run any code, with your rights: a test file, a library to preload,"
    " an operator, a compiler's option of whoever wrote it"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one reproducer; returns the exit code."""
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
    options = parser.parse_args(arguments)
    never_fail_to_print()
    if options.trust:
        print(_TRUSTED, file=sys.stderr)
    try:
        check()
        model = find_model(options.which, options.results, options.device)
        if model is not None or is_test_id(options.which):
            from harness.reduce.repro import reproduce_model  # brings pytest along

            return reproduce_model(
                options.which,
                model,
                options.results,
                device=options.device,
                size=options.size,
                seconds=options.seconds,
                deadline_s=options.deadline,
                trust=options.trust,
            )
        found = find(options.which, options.results, options.device)
        folder = found.folder
        expected = read_expected(folder)
        print(f"{folder}: {expected.op.name} on {expected.device}", flush=True)
        if found.older:
            print(f"(the newest of {len(found.older) + 1}; before it {found.older[0]})", flush=True)
        ending = reproduce(folder, expected, trust=options.trust)
    except DeviceError as error:
        print(error, file=sys.stderr)
        return 3
    except HarnessError as error:
        print(error, file=sys.stderr)
        return 2
    if options.verbose and ending.diagnostic:
        print(ending.diagnostic)
    same, sentence = compared(expected, ending)
    print(sentence)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
