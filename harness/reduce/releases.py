# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Released versions of a compiler's distributions: which there are, and one in a folder of its own.

pip answers both, so that its own settings, indexes and proxies count. What is installed in the
environment is never changed.
"""

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from bringup.harness.devices.kind import DeviceKind, Released
from bringup.harness.errors import FileError, UsageError

_LIST_S, _INSTALL_S = 120.0, 900.0


EVERYWHERE = (Released("torch-mlir"),)
"""What every device's programs go through."""


@dataclass(frozen=True)
class Asked:
    """What was asked for: a compiler, and which of its versions."""

    compiler: Released
    wanted: Requirement

    def takes(self, version: str) -> bool:
        """Is a version among those asked for? None below the first that can be opened, unless
        that was asked for."""
        limits = self.wanted.specifier
        if not limits.contains(version):
            return False
        asked_below = any(clause.operator in (">", ">=", "==", "~=") for clause in limits)
        return asked_below or Version(version) >= Version(self.compiler.oldest)


def asked_for(text: str, kind: DeviceKind) -> Asked:
    """What `jaxlib` or `jaxlib>=0.9,<0.10.2` asks for, of the compilers of a kind of device.

    A compiler may be called by its family too, as `DeviceKind.compiler` has it.

    Raises:
        UsageError: the device goes through no such compiler, or these are no limits.
    """
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        raise UsageError(
            f"--versions {text!r}: expected the name of a compiler, with limits such as"
            " 'NAME>=1.2,<1.4' if need be"
        ) from None
    name = canonicalize_name(wanted.name)
    every = (*kind.releases, *EVERYWHERE)
    for one in every:
        if name in (one.name, *one.together) or (name == kind.compiler and one is every[0]):
            return Asked(one, wanted)
    raise UsageError(
        f"--versions {text!r}: {kind.name} does not go through {wanted.name}, but through"
        f" {', '.join(one.name for one in every)}"
    )


def installed(name: str) -> str:
    """The version of a distribution that is installed.

    Raises:
        UsageError: none is.
    """
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(f"{name} is not installed here, so none of it can be to blame") from None


def released(asked: Asked) -> list[str]:
    """The releases that were asked for, the oldest first; what is installed is always among them.

    Raises:
        FileError: pip cannot say.
        UsageError: it is not installed, or there are none of the kind.
    """
    name, here = asked.compiler.name, installed(asked.compiler.name)
    told = _pip(["index", "versions", name], _LIST_S)
    found = re.search(r"Available versions:(.*)", told)
    every = {version.strip() for version in found[1].split(",")} if found else set()
    chosen = {here}
    for version in every:
        try:
            if asked.takes(version):
                chosen.add(version)
        except InvalidVersion:
            continue
    if len(chosen) < 2:
        limits = str(asked.wanted.specifier) or f"from {asked.compiler.oldest} on"
        raise UsageError(f"pip finds no release of {name} {limits} beside {here}, which is here")
    return sorted(chosen, key=Version)


def install(compiler: Released, version: str, folder: Path) -> Path:
    """Put one release below a folder, nothing that it depends on; returns where Python finds it.

    What pip itself needs on the disk is there too, and nothing of it anywhere else.

    Raises:
        FileError: it cannot be had, in pip's own words.
    """
    exactly = [f"{name}=={version}" for name in (compiler.name, *compiler.together)]
    packages, beside = folder / "packages", folder / "tmp"
    beside.mkdir()
    options = ["--quiet", "--no-cache-dir", "--no-deps", "--only-binary", ":all:"]
    arguments = ["install", *options, "--target", os.fspath(packages), *exactly]
    _pip(arguments, _INSTALL_S, TMPDIR=os.fspath(beside))
    return packages


def _pip(arguments: Sequence[str], seconds: float, **environment: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=os.environ | {"PIP_NO_INPUT": "1"} | environment,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FileError(f"pip was not through in {seconds:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
        raise FileError(f"pip: {errors[-1] if errors else said[-1]}")
    return done.stdout.decode("utf-8", "replace")
