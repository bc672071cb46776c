# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A loader is imported as the module that it is of its repository.

Loaders name their neighbours relative to themselves (`from ...base import ForgeModel`) and by the
place that tt-forge-models has in its users' checkouts (`from third_party.tt_forge_models.config
import ModelInfo`), so that is the package a folder of loaders is. An installed package keeps its
name. What stands beside a loader, and beside its repository, is found last of all.
"""

import contextlib
import enum
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from bringup.harness.errors import HarnessError, UsageError
from bringup.harness.loaders.declared import CLASS
from bringup.harness.loaders.repository import LoaderFile, Repository
from bringup.harness.peer.names import LOADERS
from bringup.harness.storage.writable import said_by


class LoaderError(HarnessError):
    """A loader cannot be imported, or is none: what it raised stands behind it."""


@contextlib.contextmanager
def importable(repository: Repository, loader: LoaderFile) -> Iterator[None]:
    """Within it, what a loader imports is found, now or when it is called."""
    added = [str(loader.path.parent), str(repository.root.parent)]
    added = [folder for folder in added if folder not in sys.path]
    if not repository.package:
        _as_third_party(repository.root)
    sys.path.extend(added)
    try:
        yield
    finally:
        for folder in added:
            with contextlib.suppress(ValueError):
                sys.path.remove(folder)


def loader_class(repository: Repository, loader: LoaderFile) -> Any:
    """A loader's `ModelLoader`; within `importable`.

    Raises:
        LoaderError: importing it raises, or it has none.
    """
    try:
        module = _module(repository.package or LOADERS, repository.root, loader.path)
    except (Exception, SystemExit) as error:
        said = said_by(error)
        raise LoaderError(
            f"{loader.inside}/{loader.path.name} cannot be imported: {type(error).__name__}: {said}"
        ) from error
    found = getattr(module, CLASS, None)
    if not isinstance(found, type):
        raise LoaderError(f"{loader.inside}/{loader.path.name} has no class {CLASS}")
    return found


def variants_of(cls: Any) -> dict[str, Any]:
    """What a loader's class says that its variants are, by their texts, in its order."""
    query = getattr(cls, "query_available_variants", None)
    found = getattr(cls, "_VARIANTS", None) if query is None else query()
    return {text_of(variant): variant for variant in found or ()}


def text_of(variant: Any) -> str:
    """A variant as people write it."""
    return str(variant.value if isinstance(variant, enum.Enum) else variant)


def variant_of(cls: Any, text: str) -> Any:
    """The variant of a class that is written so; None for the empty text, of no variants.

    Raises:
        UsageError: there is none.
    """
    if not text:
        return None
    known = variants_of(cls)
    if text not in known:
        raise UsageError(f"{cls.__module__} has no variant {text!r}; it has {', '.join(known)}")
    return known[text]


def _as_third_party(root: Path) -> None:
    """Have the package that loaders know be this repository, and no other that was one before."""
    package = sys.modules.get(LOADERS)
    if package is None or [*getattr(package, "__path__", ())][:1] != [str(root)]:
        for name in [n for n in sys.modules if n == LOADERS or n.startswith(f"{LOADERS}.")]:
            del sys.modules[name]
        _package(LOADERS, root)


def _module(package: str, root: Path, path: Path) -> ModuleType:
    """Import a file of a package by its place in it, whatever its folders are called."""
    name, folder = package, root
    for part in path.relative_to(root).parts[:-1]:
        name, folder = f"{name}.{part.replace('.', '_')}", folder / part
        if name not in sys.modules:
            _package(name, folder)
    name = f"{name}.{path.stem}"
    return sys.modules[name] if name in sys.modules else _execute(name, path)


def _package(name: str, folder: Path) -> None:
    parent, _, last = name.rpartition(".")
    if parent and parent not in sys.modules:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(parent)
    init = folder / "__init__.py"
    if init.is_file():
        module = _execute(name, init, [str(folder)])
    else:
        module = ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module
    if parent in sys.modules:
        setattr(sys.modules[parent], last, module)


def _execute(name: str, path: Path, folders: list[str] | None = None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
