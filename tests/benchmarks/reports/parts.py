# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the documents of a large night cost; each module here says what its figures are."""

import argparse
from collections.abc import Callable

from tests.benchmarks.figures import Figure
from tests.benchmarks.reports import page, sheets

PARTS: dict[str, Callable[[argparse.Namespace], list[Figure]]] = {
    "page": page.measure,
    "sheets": sheets.measure,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--quick", action="store_true", help="rehearse it on a small night")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts: {','.join(PARTS)}")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures of the parts asked for.

    Raises:
        SystemExit: there is no such part.
    """
    names = options.only.split(",")
    if unknown := sorted(set(names) - PARTS.keys()):
        raise SystemExit(f"no part {unknown[0]!r}: there are {', '.join(PARTS)}")
    return [figure for name in names for figure in PARTS[name](options)]
