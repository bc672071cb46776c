# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A device on a command line: its name, or the path of a file of its figures."""

import os
from pathlib import Path

from bringup.harness.errors import UsageError
from bringup.harness.records.variable_names import KINDS_VARIABLE

EVERY_DEVICE = "all"
"""In place of a name, where a model is tried: every device that is known here."""
_SUFFIX = ".toml"


def is_file_of_kind(text: str) -> bool:
    """Is it the path of a file of figures, and no name of a device or a module?"""
    return text.endswith(_SUFFIX)


def device_named(text: str) -> str:
    """The name of the device that is meant: of `boards/mine.toml` it is `mine`.

    The file is known by its whole path to all processes started from now on, device hosts too.

    Raises:
        UsageError: there is no such file, or its path cannot stand in the variable.
    """
    if not is_file_of_kind(text):
        return text
    path = Path(text).absolute()
    if not path.is_file():
        raise UsageError(f"there is no file {text}, which is to say what a device is")
    if "," in str(path):
        raise UsageError(f"{path}: a comma in the path of a device's file separates two of them")
    before = os.environ.get(KINDS_VARIABLE, "")
    if str(path) not in before.split(","):
        os.environ[KINDS_VARIABLE] = f"{before},{path}".strip(",")
    return path.name.removesuffix(_SUFFIX)
