# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Is what `package.module:NAME` names there? Asked of files, with nothing imported: PyTorch and a
device take seconds, and a slip of the fingers is to be said before.

Only what is certain is said: a module that makes its names as it runs is left to the import.
"""

import ast
import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from bringup.harness.did_you_mean import hint
from bringup.pipeline.errors import PipelineError

_BY_ITSELF = ("__getattr__", "__path__", "exec", "globals", "locals", "modules", "setattr", "vars")
"""Words of a module whose names its text does not tell."""
_CONFIGS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def refuse_absent(name: str, folder: Path) -> None:
    """Refuse a `package.module:NAME` that nothing imported from the folder has.

    Raises:
        PipelineError: there is no such module, or nothing of that name in it.
    """
    module, _, wanted = name.partition(":")
    first = wanted.partition(".")[0]
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for number, part in enumerate(parts):
        called = ".".join([*parts[:number], part])
        if spec is not None and _makes_names(_tree_of(spec)):
            return
        spec = _found(part, folder) if spec is None else _within(spec, called)
        if spec is None:
            if number == 0 and _is_found_by_pytest(folder):
                return
            raise PipelineError(f"there is no module {called}, which {name} names")
    assert spec is not None
    tree = _tree_of(spec)
    if tree is None or _makes_names(tree) or _within(spec, f"{module}.{first}") is not None:
        return
    bound = set(_bound(tree))
    if first not in bound:
        raise PipelineError(f"{module} has no {wanted}{hint(first, sorted(bound))}")


def _found(top: str, folder: Path) -> ModuleSpec | None:
    """A module that has none around it, as an import would find it."""
    here = PathFinder.find_spec(top, [str(folder)])
    if here is not None:
        return here
    try:
        return importlib.util.find_spec(top)
    except ValueError:  # it is loaded, and made by hand
        return ModuleSpec(top, None)


def _within(spec: ModuleSpec, called: str) -> ModuleSpec | None:
    places = spec.submodule_search_locations
    return None if places is None else PathFinder.find_spec(called, list(places))


def _is_found_by_pytest(folder: Path) -> bool:
    """May pytest look where Python does not?"""
    texts = (folder / name for name in _CONFIGS)
    return (folder / "conftest.py").exists() or any(
        "pythonpath" in path.read_text("utf-8", "replace") for path in texts if path.is_file()
    )


def _tree_of(spec: ModuleSpec) -> ast.Module | None:
    """What a module is written as; None of one that is no Python text."""
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None
    try:
        return ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _makes_names(tree: ast.Module | None) -> bool:
    """May a module have names that its text does not tell?"""
    words = () if tree is None else tuple(_words(tree))
    return any(word in _BY_ITSELF or word == "*" for word in words)


def _words(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that is given to something, wherever it is: a function may say `global`."""
    yield from ("__name__", "__doc__", "__file__", "__spec__", "__loader__", "__package__")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and node.name:
            yield node.name
