# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What code reads that is handed to nobody: its module's variables, and what holds for the process.

A test's body may set either before it makes a tester, and another in each flow.
"""

import re
from types import FunctionType, ModuleType
from typing import Any

from bringup.harness.reach import functions_of, names_in
from bringup.harness.records.variable_names import AVOID_VARIABLE, DEADLINE_VARIABLE
from bringup.harness.state import settings
from bringup.harness.state.fingerprint import digest_of

_OF_NO_MODEL = frozenset(
    {
        *("standard output", "standard error", "exception hook", "warning filters"),
        *("log level", "log switched off", "garbage collection", "file mode mask"),
    }
)
"""What is set for the process and decides nothing of a model."""
_OF_EACH_TEST = frozenset(f"${name}" for name in (AVOID_VARIABLE, DEADLINE_VARIABLE))
"""Variables that a run sets before each test."""


_OF_ONE_PROCESS = ("handler of ", "import path", "working directory")
"""What else is set otherwise in another process that computes the same."""
_OF_ONE_RUN = re.compile(
    r"\$((BRINGUP|PYTEST|NOX|GITHUB|RUNNER|ACTIONS|CI|GITLAB|BUILDKITE|JENKINS|BUILD|SSH|SUDO|XDG|"
    r"SYSTEMD|DBUS|TMUX|COV)_.*|PWD|OLDPWD|SHLVL|_|TERM|COLUMNS|LINES|LS_COLORS|PS\d|PATH|HOME|"
    r"HOSTNAME|USER|LOGNAME|MAIL|SHELL|EDITOR|PAGER|DISPLAY|STY|TMUX|TMPDIR|TEMP|TMP|VIRTUAL_ENV|"
    r"VIRTUAL_ENV_PROMPT|PYTHONPATH|INVOCATION_ID|JOURNAL_STREAM|RANDOM|SECONDS)"
)
"""Variables that shells, servers and we set for one run, session or person, and no model reads."""


def of_any_process() -> tuple[tuple[str, str], ...]:
    """As `of_process`, without what another process, night or machine of a fleet has otherwise."""
    return tuple(
        (name, said)
        for name, said in of_process()
        if not name.startswith(_OF_ONE_PROCESS) and not _OF_ONE_RUN.fullmatch(name)
    )


def of_process() -> tuple[tuple[str, str], ...]:
    """What is set for the whole process, random numbers apart."""
    left_out = settings.RANDOM | _OF_NO_MODEL | _OF_EACH_TEST
    return tuple(
        sorted(
            (name, repr(value)) for name, value in settings.read().items() if name not in left_out
        )
    )


def variables_of(owner: type, base: type) -> dict[str, str | int]:
    """By name the variables of their modules that classes from `owner` up to `base` read.

    So do the functions and classes of the same module that they name. One that has no pickle is
    told by which object it is.
    """
    found: dict[str, str | int] = {}
    seen: set[int] = set()
    for cls in owner.__mro__[: owner.__mro__.index(base)]:
        _read_by(cls, found, seen)
    return found


def _read_by(thing: Any, found: dict[str, str | int], seen: set[int]) -> None:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    for function in functions_of(thing):
        for name in names_in(function.__code__):
            if name not in function.__globals__:
                continue
            value = function.__globals__[name]
            if isinstance(value, ModuleType):
                continue
            if isinstance(value, type | FunctionType):
                if value.__module__ == function.__module__:
                    _read_by(value, found, seen)
                continue
            found[f"{function.__module__}.{name}"] = digest_of(value) or id(value)
