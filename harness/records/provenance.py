# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where, when and with what a run was made."""

import functools
import os
import platform
import shlex
import socket
import subprocess
import sys
from importlib import metadata

import psutil

from harness.records.schema import Provenance

DISTRIBUTIONS = (
    "bringup",
    "torch",
    "torch-mlir",
    "jaxlib",
    "jax-tt-plugin",
    "pjrt-plugin-tt",
    "iree-base-compiler",
    "iree-base-runtime",
    "onnx",
    "onnxruntime",
    "transformers",
    "numpy",
)
"""What a verdict depends on, by distribution name."""


@functools.cache
def versions() -> dict[str, str]:
    """Installed versions of `DISTRIBUTIONS`; what is not installed is left out."""
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def collect(seed: int = 0) -> Provenance:
    """This process's provenance."""
    commit = _git("rev-parse", "HEAD")
    return Provenance(
        command=tuple(sys.orig_argv),
        host=socket.gethostname(),
        pid=os.getpid(),
        git_commit=commit,
        git_dirty=bool(commit and _git("status", "--porcelain")),
        versions=versions(),
        python=platform.python_version(),
        seed=seed,
        cores=len(os.sched_getaffinity(0)),
        memory=psutil.virtual_memory().total,
        git_branch=_git("symbolic-ref", "--quiet", "--short", "HEAD"),
    )


@functools.cache
def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def command_line(arguments: tuple[str, ...]) -> str:
    """A command as a person would paste it."""
    return shlex.join(arguments)
