# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a project says of options, once for all its commands: `[tool.bringup]` of pyproject.toml.

    [tool.bringup]
    tests = "models"
    device = ["cpu", "n150"]

An option that is given, or whose variable is set, is stronger. The file is that of the working
directory, where ids of tests begin too; one that does not name this tool says nothing.
"""

import tomllib
from pathlib import Path
from typing import Any

from bringup.harness.did_you_mean import hint
from bringup.harness.errors import UsageError
from bringup.harness.storage.writable import writable

NAME = "pyproject.toml"
TABLE = "tool.bringup"
TESTS, LISTS = "tests/models", "tests/lists"
"""Where models' tests and the lists are, unless a project or an option says otherwise."""
KEYS = frozenset(
    {
        *("tests", "models", "lists", "device", "policy", "history", "fleet", "size"),
        *("engine", "workers", "timeout", "confirm", "budget", "planner", "recheck"),
    }
)
"""What the table may say; each stands for the option of that name."""


def project_texts(folder: Path | None = None) -> dict[str, tuple[str, ...]]:
    """What a project says, by key, as it would stand on a command line; of paths, from `folder`.

    Raises:
        UsageError: the file cannot be read, or says what it may not; the sentence names the field.
    """
    path = (folder or Path()) / NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    if b"bringup" not in data:
        return {}  # not ours to complain of, whatever is wrong with it
    try:
        whole = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    tool = whole.get("tool", {})
    said = tool.get("bringup", {}) if isinstance(tool, dict) else {}
    if not isinstance(said, dict):
        raise UsageError(f"{path}: {TABLE}: expected a table")
    for key in said:
        if key not in KEYS:
            there = ", ".join(sorted(KEYS))
            word = writable(key)
            raise UsageError(
                f"{path}: {TABLE}.{word}: nobody reads it{hint(word, KEYS)}; there are {there}"
            )
    return {key: _texts(value, f"{path}: {TABLE}.{key}") for key, value in said.items()}


def _texts(value: Any, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise UsageError(f"{where}: the list is empty; leave the key out")
    for one in values:
        if isinstance(one, bool) or not isinstance(one, str | int | float) or one == "":
            raise UsageError(f"{where}: expected a text, a number, or a list of them")
    return tuple(map(str, values))
