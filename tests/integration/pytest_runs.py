# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests of a user's own, run by pytest in a process of its own, and the records they leave.

The process is forked off one that has PyTorch imported, unless its environment is one in which
PyTorch might be imported otherwise: three to four seconds of processor a run.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bringup.harness.builds.code import lowering_code
from bringup.harness.builds.sources import SourceFolders
from bringup.harness.devices.toolchain import toolchain_of
from bringup.harness.preloaded.process import NotPreloadedError, PreloadedPython, Process
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.run_dir import load_journals
from bringup.harness.records.schema import TestRecord
from bringup.harness.records.variable_names import CACHE_VARIABLE
from bringup.harness.records.verdicts import file_digest

ROOT = Path(__file__).parents[2]
MINIATURE = "tests/integration/miniature"
HUNG_S = 3600.0
"""Seconds after which a run is taken to hang: far more than any takes, on any busy machine."""
PRELOADED = (
    *("torch", "torch_mlir.fx", "torch._dynamo", "functorch.compile", "sympy.combinatorics"),
    *("torch.distributed.tensor.experimental", "torch._inductor.ir", "execnet", "_pytest.junitxml"),
    "bringup:ModelTester,OnnxModelTester,TorchExecutor,StablehloExecutor",
)
"""What a test of a model comes to import."""


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
        return ArtifactStore(self.directory).get(failure.diagnostic).decode()


def run_pytest(directory: Path, *arguments: str, **environment: str) -> Done:
    """Run tests of this repository."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    # none of them is hypothesis's, whose plugin imports it for every summary: 0.7 s of processor
    command += ["-p", "no:hypothesispytest"]
    # ours are imported before pytest is there to rewrite their asserts
    command += ["-W", "ignore:Module already imported so cannot:pytest.PytestAssertRewriteWarning"]
    return run_command(directory, ROOT, command, **environment)


def run_command(directory: Path, folder: Path, command: Sequence[str], **environment: str) -> Done:
    """Run a command line in a folder, and read the records it leaves in `directory`."""
    whole = os.environ | {"BRINGUP_RUN_DIR": str(directory)} | environment
    if cache := environment.get(CACHE_VARIABLE):
        with contextlib.suppress(OSError):  # of a run that is to have none
            know_what_is_installed(cache)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        streams = (0, said.fileno(), complained.fileno())
        code = _start(command, folder, whole, streams).wait(HUNG_S)
        said.seek(0)
        complained.seek(0)
        output = (said.read() + complained.read()).decode()
    records, _, losses = load_journals(directory)
    assert not losses
    return Done(code, output, directory, {r.identity.key: r for r in records})


def know_what_is_installed(cache: str) -> None:
    """Have a new cache know the content of what is installed: each run would read it all, two to
    four seconds of processor."""
    known = _digests()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(CACHE_VARIABLE, cache)
        place = file_digest._file()
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(known, place)


@functools.cache
def _digests() -> Path:
    """What this process's own cache knows of files."""
    assert SourceFolders([ROOT]).digests and lowering_code()
    for device in ("cpu", "n150", "iree-cpu"):
        toolchain_of(device)
    return file_digest._file()


def _start(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[int, int, int],
) -> Process | subprocess.Popen[bytes]:
    python, *arguments = command
    if python == sys.executable:
        with contextlib.suppress(NotPreloadedError):
            return _preloaded().start(
                arguments, folder=folder, environment=environment, streams=streams
            )
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=stdin, stdout=stdout, stderr=stderr
    )


@functools.cache
def _preloaded() -> PreloadedPython:
    """One for all tests of this process, which it ends with."""
    return PreloadedPython(PRELOADED)
