# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup VERB`: arguments in, exit code out."""

import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from bringup.command.catalog import VERBS, name_of, shown
from bringup.command.overview import first_words, overview
from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.options.command_line import run
from bringup.harness.options.exit_codes import ExitCode

_LOOK_THEMSELVES = ("help_env", "doctor")
"""Verbs that tell of wrong variables instead of being refused for them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if arguments is None:  # until a run has handlers of its own
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        arguments = sys.argv[1:]
    words = list(arguments)
    look = bool(words) and name_of(words[0]) not in _LOOK_THEMSELVES
    return run("bringup", lambda: _main(words), look=look)


def _main(words: Sequence[str]) -> int:
    if not words:
        print(first_words())
        return ExitCode.KEPT
    verb, *rest = words
    if verb in ("-h", "--help", "help"):
        return _help(rest)
    if verb in ("-V", "--version"):
        print(f"bringup {_version()}")
        return ExitCode.KEPT
    if name_of(verb) not in VERBS:
        known = [*map(shown, VERBS), *VERBS]
        raise UsageError(f"there is no verb `{verb}`{hint(verb, known)}; `bringup --help` has all")
    return VERBS[name_of(verb)].start(rest)


def _help(rest: Sequence[str]) -> int:
    if rest and name_of(rest[0]) in VERBS:
        return _main([rest[0], "--help"])
    print(overview())
    return ExitCode.KEPT


def _version() -> str:
    try:
        return version("bringup")
    except PackageNotFoundError:  # a checkout on the search path
        return "of a checkout"
