# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.list_devices [NAME ...] [--json] [--forget NAME]`: list this machine's
devices.

Exit codes: 0 listed, 2 a name is unknown.
"""

import argparse
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bringup.harness.device_host.listing import Listed, State, list_devices
from bringup.harness.devices import device_history
from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import UsageError
from bringup.harness.records.environment import check
from bringup.harness.storage.writable import encoded, never_fail_to_print

_STYLES = {State.EXECUTES: "green", State.COMPILES: "yellow", State.MISSING: "dim"}


def command_line() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="nox -s devices --",
        description="List the devices of this machine. Each one is really opened.",
        epilog="examples:  nox -s devices    nox -s devices -- n150 --json",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these devices")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--forget",
        action="append",
        default=[],
        metavar="NAME",
        help="a device that executed on"
        " this machine need not any more: a compile-only one is no fault of it from now on",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """List devices; returns the exit code."""
    options = command_line().parse_args(arguments)
    never_fail_to_print()
    try:
        check()
        for name in (*options.names, *options.forget):
            kind_of(name)
        for name in options.forget:
            device_history.forget(name)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    listed = list_devices(options.names)
    if options.json:
        print(encoded(listed).decode())
    else:
        Console().print(table(listed))
    return 0


def table(listed: list[Listed]) -> Table:
    """A table for people."""
    drawn = Table(box=None, pad_edge=False)
    for heading in ("device", "here it", "as", "what it is"):
        drawn.add_column(heading)
    for one in listed:
        state = f"[{_STYLES[one.state]}]{one.state}[/]"
        why = escape(f"{one.title}: {one.reason}" if one.reason else one.title)
        drawn.add_row(one.name, state, one.detail, why)
    return drawn


if __name__ == "__main__":
    sys.exit(main())
