# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A clock that a test sets back while real processes run: `time.time` with a step from a file.

Run as a module it runs the command line with that clock; pytest and its workers take it as a
plugin.
"""

import os
import runpy
import time
from pathlib import Path

VARIABLE = "STEPPING_CLOCK"
"""Names the file, which holds seconds to add; empty or absent: none."""
_real = time.time


def _stepped() -> float:
    try:
        return _real() + float(Path(os.environ[VARIABLE]).read_text() or 0)
    except FileNotFoundError:
        return _real()


if VARIABLE in os.environ:
    time.time = _stepped

if __name__ == "__main__":
    runpy.run_module("bringup.pipeline", run_name="__main__", alter_sys=True)
