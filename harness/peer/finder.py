# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Python finds tt-torch's modules: a finder before all others, for the names of one table.

It is inert until somebody imports such a name, and leaves alone what is none of tt-torch's: where
tt-torch itself works (its `tt_mlir` is installed) all of it is its own, and a `tests.utils` that
mentions no tt_torch is somebody else's. In a checkout of tt-torch its files are on the path too;
they need tt-mlir, so these modules come first.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from bringup.harness.errors import UsageError
from bringup.harness.peer.names import FUNCTIONS_OF_LOADERS, LOADERS, SERVED, refusal
from bringup.harness.storage.writable import said_by

_MARK = "tt_torch"
"""What the source of a `tests.utils` of tt-torch's mentions."""
_Path = importlib.machinery.PathFinder


class PeerFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of :mod:`bringup.harness.peer.names`."""

    def __init__(self, models: Sequence[Path] = ()) -> None:
        """`models` are checkouts of tt-forge-models, for tests whose own has none."""
        self._models = [str(folder.absolute()) for folder in models]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A module of tt-torch's, its functions for loaders, or a package around them."""
        if fullname.partition(".")[0] not in _ROOTS:
            return None
        if fullname == FUNCTIONS_OF_LOADERS:
            return self._functions_of_loaders(fullname, path)
        if fullname in SERVED and not _is_anothers(fullname, path):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=_has_parts(fullname))
        if fullname in _PACKAGES:
            return self._package(fullname, path)
        if fullname.startswith(f"{LOADERS}.") and _Path.find_spec(fullname, path) is None:
            raise ModuleNotFoundError(_no_loaders(fullname), name=fullname)
        return None

    def _functions_of_loaders(
        self, name: str, path: Sequence[str] | None
    ) -> importlib.machinery.ModuleSpec:
        """The file of a checkout with our `get_file` in it, or a module that has nothing else."""
        own = _Path.find_spec(name, path)
        spec = importlib.machinery.ModuleSpec(name, self)
        if own is not None and own.loader is not None:
            spec.loader = _WithGetFile(own.loader)
            spec.origin, spec.has_location = own.origin, own.has_location
        return spec

    def _package(
        self, name: str, path: Sequence[str] | None
    ) -> importlib.machinery.ModuleSpec | None:
        """What stands around a module that is served, where nobody else has it."""
        if _Path.find_spec(name, path) is not None:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, is_package=True)
        if name == LOADERS and self._models:
            spec.submodule_search_locations = self._models
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A module that fetches its names when they are asked for."""
        return _Served(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Importing the backend registers it with `torch.compile`, as tt-torch's does."""
        if module.__name__ in ("tt_torch", "tt_torch.dynamo.backend"):
            importlib.import_module("bringup.harness.peer.backend").register()


class _Served(ModuleType):
    """A module whose names are ours, or refused."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        home = SERVED.get(self.__name__, {}).get(name)
        if home is None:
            raise ImportError(refusal(self.__name__, name))  # an AttributeError loses its words
        return getattr(importlib.import_module(home), name)

    def __dir__(self) -> list[str]:
        return sorted(SERVED.get(self.__name__, ()))


class _WithGetFile(importlib.abc.Loader):
    """Loads a checkout's own file, and has `get_file` of it be ours."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._own.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run the file; where it needs what is not installed, whoever wants more than `get_file`
        is told so, and nobody else."""
        try:
            self._own.exec_module(module)
        except ModuleNotFoundError as error:
            lacking = (
                f"needs {error.name}, which is not installed: pip install {error.name}"
                if error.name  # that of transformers' own words has none
                else f"cannot be imported: {said_by(error)}"
            )
            module.__getattr__ = _refuser(  # type: ignore[method-assign]
                module.__name__, lacking
            )
        module.get_file = _ours(module.__name__, "get_file")  # type: ignore[attr-defined]


def _refuser(module: str, why: str) -> Callable[[str], Any]:
    def refuse(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(f"{module}.{name}: the file {why}")

    return refuse


def _ours(module: str, name: str) -> Any:
    return getattr(importlib.import_module(SERVED[module][name]), name)


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


_ROOTS = {name.partition(".")[0] for name in SERVED}
_PACKAGES = {parent for name in SERVED for parent in _parents(name)} - SERVED.keys()


def _has_parts(name: str) -> bool:
    return any(other.startswith(f"{name}.") for other in SERVED)


def _is_anothers(name: str, path: Sequence[str] | None) -> bool:
    """Does a module of that name belong to somebody whom it works for?"""
    if name == "tests.utils":
        spec = _Path.find_spec(name, path)
        if spec is None or spec.origin is None:
            return False
        return _MARK not in Path(spec.origin).read_text("utf-8", "replace") or works_itself()
    return works_itself()


def works_itself() -> bool:
    """Is tt-torch installed whole? Without its compiled module it is not."""
    return _Path.find_spec("tt_mlir") is not None


def _no_loaders(name: str) -> str:
    return (
        f"{name} is of tt-forge-models, which is not here: check it out as"
        " third_party/tt_forge_models, or name its folder by --models"
    )


def install(models: Sequence[Path] = ()) -> None:
    """Have Python find tt-torch's modules from now on.

    Raises:
        UsageError: one of `models` is no folder.
    """
    for folder in models:
        if not folder.is_dir():
            raise UsageError(f"--models {folder}: there is no such folder")
    remove()
    sys.meta_path.insert(0, PeerFinder(models))


def remove() -> None:
    """Find them no more, and forget those that were found."""
    found = [finder for finder in sys.meta_path if isinstance(finder, PeerFinder)]
    for finder in found:
        sys.meta_path.remove(finder)
    for name, module in list(sys.modules.items()):
        if found and isinstance(module, _Served):
            del sys.modules[name]
