# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`nox -s bench -- NAME [options]`: run a benchmark, print its figures, write its JSON.

Exit codes: 0 measured (whatever the figures say), 1 the benchmark broke, 2 no such benchmark.
"""

import argparse
import difflib
import importlib
import sys

from tests.benchmarks.figures import write_figures

NAMES = ("overhead",)


def main(arguments: list[str]) -> int:
    """Run one benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="nox -s bench --",
        description="Run a benchmark. Figures are ratios against a baseline of the same run.",
        epilog="example:  nox -s bench -- overhead --pairs 5",
    )
    parser.add_argument("name", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each side, in turn")
    options = parser.parse_args(arguments)
    if options.name not in NAMES:
        near = difflib.get_close_matches(options.name, NAMES, n=1)
        print(
            f"no benchmark {options.name!r}: {'did you mean ' + near[0] + '? ' if near else ''}"
            f"there are {', '.join(NAMES)}",
            file=sys.stderr,
        )
        return 2
    module = importlib.import_module(f"tests.benchmarks.{options.name}")
    write_figures(options.name, module.measure(options.pairs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
