# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What one model needs beside the run's environment, in a folder of its own over it.

pip says what of the requirements is missing, and that alone is installed, into a folder that is
named by its content: the environment itself is never written to. A folder is made under a lock, and
has its name once it is whole, so whatever dies meanwhile leaves nothing that is believed. Within
`overlay_of` Python finds the folder's packages first; afterwards it finds what it found before.
"""

import contextlib
import hashlib
import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from filelock import FileLock

from bringup.harness.errors import FileError, UsageError
from bringup.harness.session import current

REQUIREMENTS = "requirements.txt"
_STACK = (
    *("torch", "torch-mlir", "jax", "jaxlib", "numpy", "onnx", "onnxruntime", "pytest"),
    "bringup",
)
"""What is under test, or tests: a model that wants another version of it cannot run here."""
_PARTIAL = ".partial"


class _Loaded:
    """Modules of a session's overlays, kept from one test to the next."""

    def __init__(self) -> None:
        self.modules: dict[Path, dict[str, ModuleType]] = {}


def beside(test: Path) -> tuple[str, ...]:
    """The requirements of the file beside a test, one a line."""
    path = test.parent / REQUIREMENTS
    if not path.is_file():
        return ()
    lines = (line.partition(" #")[0].strip() for line in path.read_text("utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


@contextlib.contextmanager
def overlay_of(requirements: Sequence[str], test: Path) -> Iterator[None]:
    """Within it, what a test file's requirements name can be imported.

    Raises:
        UsageError: they do not go with what is under test, or are none.
        FileError: they cannot be had.
    """
    folder = _installed(tuple(sorted(requirements)), test) if requirements else None
    if folder is None or str(folder) in sys.path:
        yield
        return
    loaded = current().get(_Loaded).modules
    before = _taken_away(folder)
    sys.modules.update(loaded.pop(folder, {}))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        loaded[folder] = _taken_away(folder)
        sys.modules.update(before)
        importlib.invalidate_caches()


def _taken_away(folder: Path) -> dict[str, ModuleType]:
    """The loaded modules under the names that a folder has packages of, loaded no more."""
    tops = {path.stem for path in folder.iterdir()}
    names = [name for name in sys.modules if name.partition(".")[0] in tops]
    return {name: sys.modules.pop(name) for name in names}


def _installed(requirements: tuple[str, ...], test: Path) -> Path | None:
    """The folder that has what is missing, made if need be; None where nothing is missing."""
    root = _root()
    root.mkdir(parents=True, exist_ok=True)
    said = repr((requirements, sys.version_info[:3], _distributions()))
    folder = root / hashlib.sha256(said.encode()).hexdigest()[:16]
    if not folder.is_dir():
        with FileLock(f"{folder}.lock"):
            for left in root.glob(f"{folder.name}-*{_PARTIAL}"):  # of one that was killed
                shutil.rmtree(left, ignore_errors=True)
            if not folder.is_dir():
                _make(folder, requirements, test)
    return folder if any(folder.iterdir()) else None


def _make(folder: Path, requirements: tuple[str, ...], test: Path) -> None:
    partial = Path(tempfile.mkdtemp(_PARTIAL, f"{folder.name}-", folder.parent))
    try:
        missing = _missing(requirements, test)
        if missing:
            _pip(["--no-deps", "--target", str(partial), *missing], test)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _missing(requirements: tuple[str, ...], test: Path) -> list[str]:
    """What pip would install for them, each of one version."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as pins:
        pins.write("".join(f"{n}=={v}\n" for n, v in _distributions() if n in _STACK))
        pins.flush()
        told = _pip(["--dry-run", "--report", "-", "--constraint", pins.name, *requirements], test)
    report: dict[str, Any] = msgspec.json.decode(told)
    return [_pinned(one) for one in report["install"]]


def _pinned(one: dict[str, Any]) -> str:
    if one.get("is_direct"):
        return str(one["download_info"]["url"])
    return f"{one['metadata']['name']}=={one['metadata']['version']}"


def _pip(arguments: list[str], test: Path) -> bytes:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=os.environ | {"PIP_NO_INPUT": "1"},
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        said = next((line for line in lines if line.startswith("ERROR:")), lines[-1])
        said = said.removeprefix("ERROR: ")
        if "conflict" in said.lower() or "Cannot install" in said:
            raise UsageError(
                f"the requirements of {test.name} do not go with what is under test: {said}"
            )
        raise FileError(f"the requirements of {test.name} cannot be had: {said}")
    return done.stdout


def _root() -> Path:
    """A folder in the environment; where that may not be written, in the user's cache."""
    if os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix) / "bringup-overlays"
    return Path.home() / ".cache" / "bringup" / "overlays"


def _distributions() -> tuple[tuple[str, str], ...]:
    found = (
        (one.metadata["Name"].lower().replace("_", "-"), one.version)
        for one in importlib.metadata.distributions()
        if one.metadata["Name"]
    )
    return tuple(sorted(set(found)))
