# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.harness.list_devices [NAME ...] [--json] [--forget NAME]`: list this machine's
devices.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bringup.harness.builds.listing_cache import ListingCache
from bringup.harness.device_host.listing import first_devices, list_devices
from bringup.harness.devices import device_history
from bringup.harness.devices.catalog import installed_names, kind_of
from bringup.harness.errors import UsageError
from bringup.harness.options.command_line import Command, parser_of, read, run, say
from bringup.harness.options.device_names import device_named
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import option
from bringup.harness.records.device_listing import DeviceState, ListedDevice, encode_listing

_STYLES = {
    DeviceState.EXECUTES: "green",
    DeviceState.COMPILES: "yellow",
    DeviceState.MISSING: "dim",
}


COMMAND = Command(
    name="devices",
    prog="",
    says="List the devices of this machine. Each one is really opened, unless --cached is given.",
    examples=(
        ("", "all that are known here"),
        ("n150 --json", "one of them, for a program"),
        ("--forget n150", "its card was taken out; that it only compiles is no fault from now on"),
    ),
)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    names: tuple[str, ...] = option((), "NAME", "only these devices", metavar="NAME")
    json: bool = option(False, "--json", "print JSON, as `--devices-from` takes it")
    cached: bool = option(
        False,
        "--cached",
        "do not open what has no hardware behind it and was opened before, with the same libraries",
    )
    first: bool = option(
        False,
        "--first",
        "open them in order only until one executes here and one is only compiled for",
    )
    only: tuple[str, ...] = option(
        (),
        "--only",
        "open only these; the others are listed as not looked at",
        metavar="NAME",
    )
    forget: tuple[str, ...] = option(
        (),
        "--forget",
        "a device that executed on this machine need not any more: a compile-only one is no fault "
        "of it from now on",
        metavar="NAME",
    )


def command_line() -> argparse.ArgumentParser:
    """The parser, as documentation reads it."""
    return parser_of(COMMAND, Options)


def main(arguments: Sequence[str] | None = None) -> int:
    """List devices; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    return run("", lambda: start(words))


def start(words: Sequence[str]) -> int:
    """List devices.

    Raises:
        HarnessError: a device is not known, or an option is none; one sentence.
    """
    options = Options(**read(COMMAND, Options, words).values)
    names = [device_named(name) for name in options.names]
    for name in (*names, *options.forget):
        kind_of(name)
    named = names or installed_names()
    looked_at = [name for name in named if not options.only or name in options.only]
    for name in options.forget:
        device_history.forget(name)
    known = ListingCache() if options.cached else None
    if options.first and (names or options.only):
        raise UsageError("--first is about all devices, and some are named")
    if options.first:
        listed = first_devices(known)
    else:
        opened = {one.name: one for one in list_devices(looked_at, known)} if looked_at else {}
        listed = [opened.get(name) or _not_looked_at(name) for name in named]
    if options.json:
        say(encode_listing(listed).decode())
    else:
        Console(emoji=False).print(table(listed))  # a name may have `:ab:` in it
    return ExitCode.KEPT


def _not_looked_at(name: str) -> ListedDevice:
    why = "it was not looked at: nothing that was asked for is for it"
    return ListedDevice(name, DeviceState.MISSING, kind_of(name).title, reason=why)


def table(listed: list[ListedDevice]) -> Table:
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
