# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where, when and with what a run was made."""

import functools
import os
import platform
import re
import shlex
import socket
import subprocess
import sys
from fnmatch import fnmatchcase
from importlib import metadata

import psutil

from bringup.harness.records.schema import Provenance

_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+")
DISTRIBUTIONS = (
    "bringup",
    "torch",
    "torch-mlir",
    "jax",
    "jaxlib",
    "onnx",
    "onnxruntime",
    "transformers",
    "numpy",
)
"""What every verdict depends on, by distribution name; a device's compiler comes on top."""


@functools.cache
def versions(also: tuple[str, ...] = ()) -> dict[str, str]:
    """Installed versions of `DISTRIBUTIONS`, and of those that `also`, names or patterns, says.

    What is not installed is left out.
    """
    found = {}
    for name in (*DISTRIBUTIONS, *also, *_matching(also)):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _matching(patterns: tuple[str, ...]) -> list[str]:
    """Installed distributions whose names match one of the patterns that are not plain names."""
    wanted = [pattern for pattern in patterns if not _PLAIN_NAME.fullmatch(pattern)]
    if not wanted:
        return []  # without reading the metadata of all that is installed
    return [name for name in _installed() if any(fnmatchcase(name, each) for each in wanted)]


@functools.cache
def _installed() -> tuple[str, ...]:
    """Names of the installed distributions in their canonical form (PEP 503)."""
    names = (found.metadata["Name"] for found in metadata.distributions())
    return tuple(sorted({re.sub(r"[-_.]+", "-", name).lower() for name in names if name}))


def collect(seed: int = 0, also: tuple[str, ...] = ()) -> Provenance:
    """This process's provenance; `also` names more distributions, as of `versions`."""
    commit = _git("rev-parse", "HEAD")
    return Provenance(
        command=tuple(sys.orig_argv),
        host=socket.gethostname(),
        pid=os.getpid(),
        git_commit=commit,
        git_dirty=bool(commit and _git("status", "--porcelain")),
        versions=versions(also),
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
