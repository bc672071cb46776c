# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the workers of a session will import, read from the heads of its test files.

Only libraries are named: a test file, and what stands beside it, is imported by each worker itself,
where a crash costs one worker. A file's head ends with the first statement that is no import, since
from there on what it does may change what an import comes to; files that touch the environment of
the process while they are imported have nothing imported before them.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ALWAYS = (
    *("pytest", "execnet", "execnet.gateway_base", "xdist.plugin", "xdist.remote"),
    *("_pytest.terminal", "_pytest.skipping", "_pytest.junitxml", "_pytest.unittest"),
    *("bringup.harness.device_host.shared", "bringup.harness.recording.recorder"),
    *("bringup.pipeline.running.worker", "bringup.pipeline.running.controller"),
)
"""What every worker imports."""
_LIGHT = sys.stdlib_module_names | {"pytest"}
_CONFTEST = "conftest.py"
_OURS = "bringup"
"""A library wherever it lies, in our own checkout too."""


def libraries(root: Path, files: Iterable[str]) -> tuple[str, ...] | None:
    """What test files below `root` import of libraries, each `MODULE` or `MODULE:NAME,NAME`.

    None, if one of them or of their conftest files sets variables while it is imported: then
    nothing of what tests import is to be there before.
    """
    waiting = [root / file for file in files]
    waiting += {
        folder / _CONFTEST
        for file in waiting
        for folder in (file.parent, *file.parent.parents)
        if folder.is_relative_to(root) and (folder / _CONFTEST).is_file()
    }
    seen: set[Path] = set()
    found: dict[str, None] = {}
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the worker says so better
        if any("environ" in ast.unparse(node) for node in tree.body if _runs_at_once(node)):
            return None
        for module, names in _head(tree, file, root):
            top = module.partition(".")[0]
            if top == _OURS:
                found[f"{module}:{','.join(names)}"] = None
            elif local := _local(module, names, file, root):
                waiting += local
            elif top not in _LIGHT:
                found[f"{module}:{','.join(names)}" if names else module] = None
    return tuple(found)


def _runs_at_once(node: ast.stmt) -> bool:
    return not isinstance(
        node,
        ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom,
    )


def _head(tree: ast.Module, file: Path, root: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The imports before anything else, with the names that are taken; relative ones in full."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names if alias.name != "*")
            if node.level == 0:
                yield node.module or "", names
            else:
                folder = file.parents[node.level - 1]
                if folder.is_relative_to(root) and folder != root:
                    parts = (*folder.relative_to(root).parts, node.module or "")
                    yield ".".join(filter(None, parts)), names
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return


def _local(module: str, names: Iterable[str], file: Path, root: Path) -> list[Path]:
    """The files below `root` that a module is, or its names are; none if it is a library's."""
    relative = Path(*module.split("."))
    for base in (root, file.parent):
        whole = base / relative
        if whole.with_suffix(".py").is_file():
            return [whole.with_suffix(".py")]
        if whole.is_dir():
            parts = [whole / "__init__.py", *(whole / f"{name}.py" for name in names)]
            return [part for part in parts if part.is_file()] or [whole / "__init__.py"]
    return []
