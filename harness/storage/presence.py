# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Is a file there, for us? What a folder that we may not enter hides is not.

`Path.exists` and `Path.is_dir` raise PermissionError below such a folder (up to Python 3.13), and
whoever runs under `sudo -u` has a home folder of that kind.
"""

import os
from pathlib import Path


def is_there(path: Path) -> bool:
    """Is there a file or a folder of that name that we can reach?"""
    return os.path.exists(path)  # noqa: PTH110


def is_folder(path: Path) -> bool:
    """Is it a folder that we can reach?"""
    return os.path.isdir(path)  # noqa: PTH112
