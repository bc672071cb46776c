# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests of a user's own, run by pytest in a process of its own, and the records they leave."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bringup.harness.records.blobs import BlobStore
from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import TestRecord

ROOT = Path(__file__).parents[2]
MINIATURE = "tests/integration/miniature"
HUNG_S = 3600.0
"""Seconds after which a run is taken to hang: far more than any takes, on any busy machine."""


@dataclass(frozen=True)
class Done:
    """A pytest run and what it left."""

    code: int
    output: str
    directory: Path
    records: dict[str, TestRecord]

    def diagnostic(self, key: str) -> str:
        failure = self.records[key].failure
        assert failure is not None and failure.diagnostic is not None
        return BlobStore(self.directory).get(failure.diagnostic).decode()


def run_pytest(directory: Path, *arguments: str, **environment: str) -> Done:
    """Run tests of this repository."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    # none of them is hypothesis's, whose plugin imports it for every summary: 0.7 s of processor
    command += ["-p", "no:hypothesispytest"]
    return run_command(directory, ROOT, command, **environment)


def run_command(directory: Path, folder: Path, command: Sequence[str], **environment: str) -> Done:
    """Run a command line in a folder, and read the records it leaves in `directory`."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"BRINGUP_RUN_DIR": str(directory)} | environment,
        capture_output=True,
        text=True,
        timeout=HUNG_S,
        check=False,
    )
    records, _, losses = load_journals(directory)
    assert not losses
    output = done.stdout + done.stderr
    return Done(done.returncode, output, directory, {r.identity.key: r for r in records})
