# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where the ids of tests begin: the working directory, or the project that tests elsewhere are of.

pytest calls what lies outside its root by the argument it was given, so such an id finds nothing
later. Tests elsewhere therefore run in the root of their own project, and are called as they are
called there, wherever that lies.
"""

from pathlib import Path

_MARKS = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "setup.py", ".git")
"""What stands at the top of a project."""


def root_of(tests: str, here: Path) -> Path:
    """The folder that ids of the tests in `tests` begin in, absolute.

    `here`, where it holds them; else the top of the project around them, and without one the folder
    itself, or that of the file.
    """
    folder = (here / tests).resolve()
    if folder.is_relative_to(here.resolve()):
        return here
    folder = folder if folder.is_dir() else folder.parent
    return next(
        (p for p in (folder, *folder.parents) if any((p / mark).exists() for mark in _MARKS)),
        folder,
    )
