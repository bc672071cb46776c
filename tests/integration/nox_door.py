# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""nox as a person starts it: the real noxfile, beside a small fleet."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.integration.small_fleet import ENVIRONMENT, REPOSITORY, SmallFleet

ASKED_BY = ("pyproject.toml", "constraints.txt")
"""The files that an environment is made by."""


def with_door(fleet: SmallFleet) -> None:
    """Give a fleet our noxfile, and the environment these tests run in for its own."""
    for name in ("noxfile.py", *ASKED_BY):
        shutil.copy(REPOSITORY / name, fleet.root)
    made_environment(fleet.root / "env", fleet.root)


def made_environment(environment: Path, root: Path) -> Path:
    """The environment these tests run in as the one that the noxfile in `root` has made."""
    python = environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    asked = b"".join((root / name).read_bytes() for name in ASKED_BY)
    made_of = hashlib.sha256(asked + sys.version.encode())
    (environment / "installed").write_text(made_of.hexdigest())
    return environment


def start(fleet: SmallFleet, *words: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, **ENVIRONMENT, "BRINGUP_ENV": str(fleet.root / "env")}
    return subprocess.Popen(
        [sys.executable, "-m", "nox", "-s", *words],
        cwd=fleet.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def nox(fleet: SmallFleet, *words: str) -> tuple[int, str]:
    process = start(fleet, *words)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said
