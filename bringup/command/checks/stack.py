# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The stack under test: which libraries are here, and whether they can be imported."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from bringup.command.checks.check_result import CheckResult, Level

_STACK = {
    "torch": "torch",
    "torch-mlir": "torch_mlir.ir",
    "jax": "jax",
    "jaxlib": "jaxlib",
    "numpy": "numpy",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
}
"""What the main job needs, in the order in which they are imported: distribution to module."""
_COMPILERS = {
    "iree-base-compiler": ("IREE", "iree"),
    "iree-base-runtime": ("IREE", "iree"),
    "jax-tt-plugin": ("Tenstorrent", "tt"),
}
"""What other devices need: distribution to whose it is and our extra that brings it."""
_SECONDS = 300.0
_CPU_BUILD = (
    "pip would bring gigabytes of CUDA: take PyTorch's CPU build first (its page Get started: Pip,"
    " CPU), then `pip install bringup`"
)
_IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        print("fine", name, flush=True)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}".partition(chr(10))[0]
        print("broken", name, said, flush=True)
"""


def stack(*, imports: bool) -> Iterator[CheckResult]:
    """What the main job needs; with `imports` each is imported, in a child."""
    versions = {name: _version(name) for name in _STACK}
    here = [name for name, version in versions.items() if version]
    broken = _broken([_STACK[name] for name in here]) if imports and here else {}
    for name, version in versions.items():
        if not version:
            remedy = _CPU_BUILD if name == "torch" else "`pip install bringup` brings it"
            yield CheckResult(Level.MISSING, name, "is not installed", remedy)
        elif why := broken.get(_STACK[name]):
            remedy = (
                f"`pip install --force-reinstall --no-deps {name}=={version.partition('+')[0]}`"
            )
            if name == "torch" and _is_cpu(version):
                remedy = "install PyTorch's CPU build again (PyTorch's page Get started: Pip, CPU)"
            yield CheckResult(Level.MISSING, name, f"{version} cannot be imported: {why}", remedy)
        elif name == "torch":
            kind = (
                "a CPU build" if _is_cpu(version) else "with CUDA, gigabytes that only CUDA needs"
            )
            yield CheckResult(Level.FINE, name, f"{version}, {kind}")
        else:
            yield CheckResult(Level.FINE, name, version)


def compilers() -> Iterator[CheckResult]:
    """What is needed to compile for other devices than the CPU by XLA."""
    for name, (whose, extra) in _COMPILERS.items():
        if version := _version(name):
            yield CheckResult(Level.FINE, whose, f"{name} {version}")
        else:
            says = f"{name} is not installed: nothing is compiled for its devices"
            yield CheckResult(Level.ABSENT, whose, says, f"`pip install 'bringup[{extra}]'`")


def _version(name: str) -> str:
    try:
        return metadata.version(name) or ""
    except Exception:  # absent, or its metadata is damaged, which is as good
        return ""


def _is_cpu(version: str) -> bool:
    """Is a torch of this version without CUDA's libraries?"""
    required = metadata.requires("torch") or []
    return version.endswith("+cpu") or not any(r.startswith(("nvidia-", "cuda-")) for r in required)


def _broken(modules: list[str]) -> dict[str, str]:
    """Why modules cannot be imported, of those that cannot.

    One that ends the process is broken, and those behind it are tried in another.
    """
    found: dict[str, str] = {}
    left = modules
    while left:
        said, how = _import(left)
        words = [line.split(" ", 2) for line in said if line.startswith(("fine ", "broken "))]
        found |= {w[1]: w[2] for w in words if w[0] == "broken" and len(w) == 3}
        left = left[len(words) :]
        if left:
            found[left[0]] = how
            left = left[1:]
    return found


def _import(modules: list[str]) -> tuple[list[str], str]:
    """What a child said that imports modules, and how it ended."""
    command = [sys.executable, "-c", _IMPORT, *modules]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raw = error.stdout or b""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        return text.splitlines(), f"importing it takes more than {_SECONDS:.0f} s"
    how = f"importing it ends the process ({done.returncode})"
    return done.stdout.splitlines(), how
