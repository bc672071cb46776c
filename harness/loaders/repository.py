# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A repository of loaders: its `loader.py` files, by framework, and what their tests are called.

A loader's place says what it is: the last folder named after a framework says which, the folders
around it say the model and its task: `bert/masked_lm/pytorch/loader.py`. Where no folder names a
framework it is PyTorch's.
"""

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

from bringup.harness.errors import UsageError
from bringup.harness.records.naming import LOADER
from bringup.harness.storage.writable import said_by

GROUP = "bringup.loaders"
"""The entry points that name packages of loaders."""
TESTED = {"pytorch": "torch", "torch": "torch", "onnx": "onnx"}
"""By folder, the framework of the loaders in it that become tests."""
OTHERS = ("jax", "flax", "paddlepaddle", "paddle", "tensorflow", "numpy")
_NO_MODELS = ("__pycache__", "node_modules", "site-packages")
_LONGEST = 120


@dataclass(frozen=True)
class LoaderFile:
    """One `loader.py`."""

    path: Path
    inside: str
    """Its folder, relative to its repository, with `/`; `.` for the repository itself."""
    framework: str
    """`torch` or `onnx`; otherwise the folder's name, of one that is not tested."""
    model: str
    """A name that may stand in a function's."""

    @property
    def tested(self) -> bool:
        """Are there tests of it?"""
        return self.framework in TESTED.values()

    @property
    def function(self) -> str:
        """What its test function is called."""
        return f"test_{self.model}" + ("_onnx" if self.framework == "onnx" else "")


@dataclass(frozen=True)
class Repository:
    """A folder of loaders, or an installed package of them."""

    root: Path
    """Absolute."""
    package: str = ""
    """Its dotted name where it is an installed package."""

    @property
    def name(self) -> str:
        """What ids of its tests begin with where it lies outside the folder that pytest runs in."""
        return self.package or self.root.name

    @cached_property
    def loaders(self) -> dict[Path, LoaderFile]:
        """Its loaders by path, in order of their paths; no two of one name."""
        files = sorted(_loader_files(self.root), key=lambda p: p.relative_to(self.root).as_posix())
        found: dict[Path, LoaderFile] = {}
        taken: set[str] = set()
        for path in files:
            loader = _of(path, self.root)
            if loader.tested and loader.function in taken:
                mark = hashlib.sha256(loader.inside.encode("utf-8", "replace")).hexdigest()[:6]
                loader = LoaderFile(path, loader.inside, loader.framework, f"{loader.model}_{mark}")
            if loader.tested:
                taken.add(loader.function)
            found[path] = loader
        return found

    def left_out(self) -> str:
        """The sentence on its loaders that become no tests; empty where all do."""
        others = [one for one in self.loaders.values() if not one.tested]
        if not others:
            return ""
        kinds = sorted({one.framework for one in others})
        named = ", ".join(one.inside for one in others[:5])
        more = f" and {len(others) - 5} more" if others[5:] else ""
        return (
            f"{len(others)} {'loader' if len(others) == 1 else 'loaders'} of {', '.join(kinds)}"
            f" left out, as PyTorch and ONNX are what is tested: {named}{more}"
        )


def untested(loader: LoaderFile) -> str:
    """Why a loader becomes no tests, a sentence."""
    return (
        f"{loader.inside}/{LOADER} loads a model of {loader.framework}; PyTorch and ONNX are tested"
    )


def repositories(named: Sequence[Path]) -> tuple[Repository, ...]:
    """The folders that somebody named, then the packages that entry points name, each once.

    Raises:
        UsageError: one is no folder, or has no loaders; or a package cannot be found.
    """
    found = [_folder(path) for path in named]
    found += [_package(point) for point in metadata.entry_points(group=GROUP)]
    by_root = {one.root: one for one in reversed(found)}
    names = [one.name for one in by_root.values()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"two repositories of loaders are called {twice}; rename one's folder")
    return tuple(reversed(by_root.values()))


def _folder(path: Path) -> Repository:
    if not path.is_dir():
        raise UsageError(f"--models {path}: there is no such folder")
    return Repository(Path(os.path.normpath(path.absolute())))  # as pytest names what is below it


def _package(point: metadata.EntryPoint) -> Repository:
    try:
        spec = importlib.util.find_spec(point.value)
    except Exception as error:  # whatever a parent package raises
        spec, why = None, f": {type(error).__name__}: {said_by(error)}"
    else:
        why = ""
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            f"entry point {point.name} of {GROUP}: there is no package {point.value}{why}"
        )
    return Repository(Path(next(iter(spec.submodule_search_locations))).absolute(), point.value)


def _loader_files(root: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(root):
        below[:] = [n for n in below if not n.startswith(".") and n not in _NO_MODELS]
        if LOADER in files:
            yield Path(folder) / LOADER


def _of(path: Path, root: Path) -> LoaderFile:
    parts = path.parent.relative_to(root).parts
    known = [i for i, part in enumerate(parts) if part in TESTED or part in OTHERS]
    place = known[-1] if known else None
    framework = "torch" if place is None else TESTED.get(parts[place], parts[place])
    words = [part for i, part in enumerate(parts) if i != place] or [root.name]
    inside = path.parent.relative_to(root).as_posix()
    return LoaderFile(path, inside, framework, identifier(words))


def identifier(words: Iterable[str]) -> str:
    """Words as a name that may stand in a function's."""
    text = re.sub(r"\W+", "_", "_".join(words), flags=re.ASCII).strip("_").lower()
    return text[:_LONGEST] or "model"
