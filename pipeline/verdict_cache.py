# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a run tells its op-by-op tests of the verdict cache, and what becomes of it afterwards."""

import argparse
import contextlib
import re
import subprocess
import sys
from pathlib import Path

from harness.records.naming import is_op_by_op
from harness.records.schema import Plan
from pipeline.choose import RunOptions
from pipeline.speech import Speaker

RESUMED_VARIABLE = "BRINGUP_RESUMED"
RECHECK_VARIABLE = "BRINGUP_RECHECK"
NO_CACHE_VARIABLE = "BRINGUP_NO_CACHE"
"""As `harness.op_by_op` reads them."""
_SHARE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)")
_PATIENCE_S = 600.0


def share(text: str) -> str:
    """An option's value that is a share, `2%` or `0.02`.

    Raises:
        ArgumentTypeError: it is none.
    """
    match = _SHARE.fullmatch(text.strip())
    if not match or float(match[1]) > (100 if match[2] else 1):
        raise argparse.ArgumentTypeError(
            f"`{text}` is no share of the cached verdicts; write 2% or 0.02"
        )
    return text


def variables(plan: Plan, options: RunOptions) -> dict[str, str]:
    """The environment of a run's tests."""
    return {
        **({RESUMED_VARIABLE: "1"} if plan.resumed else {}),
        **({RECHECK_VARIABLE: options.recheck} if options.recheck else {}),
        **({NO_CACHE_VARIABLE: "1"} if options.no_cache else {}),
    }


def prune(plan: Plan, root: Path, say: Speaker) -> None:
    """Have the cache pruned, if that is due, after a run that used it; nothing depends on it."""
    if not any(is_op_by_op(test.identity) for test in plan.tests):
        return
    command = [sys.executable, "-m", "harness.op_by_op.upkeep"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=root,
            timeout=_PATIENCE_S,
            check=False,
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
        if said:
            say(said.rpartition("\n")[2])
