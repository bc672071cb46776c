# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which run to show: the one that was written to last, merged or not."""

from pathlib import Path

from bringup.reports.errors import ReportError


def newest_live(results: Path) -> Path:
    """The run directory below `results` whose plan, journal or header was written last.

    Raises:
        ReportError: there is none.
    """
    names = ("plan*.json", "run.json", "journal/*")
    depths = ("*/", "*/*/")
    touched: dict[Path, float] = {}
    for pattern in (depth + name for depth in depths for name in names):
        for path in results.glob(pattern):
            run_dir = path.parent.parent if path.parent.name == "journal" else path.parent
            try:
                touched[run_dir] = max(touched.get(run_dir, 0.0), path.stat().st_mtime)
            except OSError:
                continue  # it was packed, or moved into its place, this moment
    if not touched:
        raise ReportError(f"there is no run below {results}: name a run directory, or start one")
    return max(touched, key=lambda run_dir: (touched[run_dir], run_dir.name))
