# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A folder of a run that a report fills: inside the run, and with nothing of earlier builds."""

from collections.abc import Callable, Collection
from pathlib import Path

from bringup.reports.errors import ReportError


def folder_of(run_dir: Path, name: str) -> Path:
    """Where a report writes its files called `name/...`; it need not exist yet.

    Raises:
        ReportError: it is a link to somewhere else.
    """
    folder = run_dir / name
    if folder.is_symlink():
        raise ReportError(f"{folder} is a link; reports are written inside the run only")
    return folder


def remove_others(folder: Path, is_ours: Callable[[str], object], current: Collection[str]) -> None:
    """Remove the files whose names `is_ours` knows and that are not among the `current` ones."""
    for path in folder.glob("*"):
        if is_ours(path.name) and path.name not in current:
            path.unlink()
