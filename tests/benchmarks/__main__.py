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
from dataclasses import dataclass

from tests.benchmarks.figures import write_figures


@dataclass(frozen=True)
class Benchmark:
    """One benchmark."""

    module: str
    """Below `tests.benchmarks`, imported when it is asked for: it has `add_options(parser)` and
    `measure(options)`, which gives the figures."""
    says: str
    example: str


BENCHMARKS = {
    "overhead": Benchmark(
        "overhead",
        "a whole test against a bare script of the same stages",
        "overhead --pairs 5",
    ),
    "op_by_op": Benchmark(
        "op_by_op.parts",
        "op by op against a process for every op; faults, cache, reproducers",
        "op_by_op --quick",
    ),
    "history": Benchmark(
        "history.parts",
        "a made year of nights: adding, keeping, judging, a test's story, causes, merging shards",
        "history --quick",
    ),
    "verdicts": Benchmark(
        "verdicts.parts",
        "wrong verdicts: made pairs, faults in ops, malformed input, the fleet",
        "verdicts --quick",
    ),
    "promotion": Benchmark(
        "promotion.parts",
        "lists that move by made years of nights, held against the truth",
        "promotion --quick",
    ),
    "scheduling": Benchmark(
        "scheduling.parts",
        "made nights and measured durations against the bound; what plans cost",
        "scheduling --quick",
    ),
    "devices": Benchmark(
        "devices.parts",
        "accelerators that are not here: the fleet on each, what opening costs, estimates",
        "devices --quick",
    ),
    "reports": Benchmark(
        "reports.parts",
        "documents of a large night: what they cost to make, and the page to read",
        "reports --quick",
    ),
}


def main(arguments: list[str]) -> int:
    """Run one benchmark; returns the exit code."""
    if not arguments or arguments[0].startswith("-"):
        lines = [f"  nox -s bench -- {b.example:24}  {b.says}" for b in BENCHMARKS.values()]
        print("Figures are ratios against a baseline of the same run.", *lines, sep="\n")
        return 0 if arguments else 2
    name, rest = arguments[0], arguments[1:]
    if name not in BENCHMARKS:
        near = difflib.get_close_matches(name, BENCHMARKS, n=1)
        print(
            f"no benchmark {name!r}: {'did you mean ' + near[0] + '? ' if near else ''}"
            f"there are {', '.join(BENCHMARKS)}",
            file=sys.stderr,
        )
        return 2
    benchmark = BENCHMARKS[name]
    module = importlib.import_module(f"tests.benchmarks.{benchmark.module}")
    parser = argparse.ArgumentParser(prog=f"nox -s bench -- {name}", description=benchmark.says)
    module.add_options(parser)
    write_figures(name, module.measure(parser.parse_args(rest)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
