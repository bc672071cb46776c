# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where the shared libraries of an installed package are, without importing it."""

from importlib import util
from pathlib import Path


def libraries_of(package: str, pattern: str) -> tuple[Path, ...]:
    """Files below a package's folder that a glob `pattern` finds, sorted; none where it is not."""
    try:
        spec = util.find_spec(package)
    except (ModuleNotFoundError, ValueError):
        return ()
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return tuple(path for folder in folders for path in sorted(Path(folder).glob(pattern)))
