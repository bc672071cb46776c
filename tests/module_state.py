# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What functions change at the level of a module, read from the sources.

State at that level belongs to nobody: it outlives a test and a session, is shared with whatever
else runs in the process, and goes on in one that is forked off. A session owns it
(`harness/session.py`). Filling a registry while its module is imported is no such change.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rooms import ROOT

_MUTATING = {
    *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
    *("add", "discard", "update", "difference_update", "intersection_update"),
    *("setdefault", "popitem", "appendleft", "popleft", "extendleft", "rotate", "put", "set"),
}
_CACHES = {"cache", "lru_cache"}
_VALUES = {
    *("str", "bytes", "int", "bool", "float", "Path", "tuple", "frozenset", "dict", "Any"),
    *("ModuleType", "DeviceKind", "Engine", "Planner", "ListSpec", "Family", "Reporter", "Status"),
    "Environment",
}
"""Types of what may be remembered for good: facts, which hold for every test of a process."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Change:
    """Something at the level of a module that a function changes."""

    name: str
    line: int


def changes(source: str) -> Iterator[Change]:
    """Names of a module, or of another of ours, that functions of a source rebind or change."""
    tree = ast.parse(source)
    own = {name for node in tree.body for name in _bound(node)}
    theirs = {name for node in ast.walk(tree) for name in _imported(node)}
    for node in _outermost_functions(tree):
        yield from _changed_in(node, own | theirs, theirs, frozenset())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_cached(node) and not _gives_values(node):
            yield Change(node.name, node.lineno)


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement at the level of a module gives a value or a class."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    elif isinstance(node, ast.If | ast.Try | ast.With | ast.For):
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                yield from _bound(inner)
    yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def _imported(node: ast.AST) -> Iterator[str]:
    """Names that an import of one of our modules, or of something in one, makes."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bringup"):
        yield from (alias.asname or alias.name for alias in node.names)


def _outermost_functions(node: ast.AST) -> Iterator[_Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield child
        else:
            yield from _outermost_functions(child)


def _changed_in(
    function: _Function, known: set[str], theirs: set[str], hidden: frozenset[str]
) -> Iterator[Change]:
    """`hidden` are names of functions around this one, which stand for something of their own."""
    inside = list(_inside(function))
    declared = {name for n in inside if isinstance(n, ast.Global) for name in n.names}
    hidden = (hidden | _locals(function, inside)) - declared
    for node in inside:
        if isinstance(node, ast.Global):
            yield from (Change(name, node.lineno) for name in node.names)
        elif isinstance(node, _Function):
            yield from _changed_in(node, known, theirs, hidden)
        elif isinstance(node, ast.expr | ast.stmt):
            for name in _changed_by(node, theirs):
                if name in known - hidden or name == "globals":
                    yield Change(name, node.lineno)


def _inside(function: _Function) -> Iterator[ast.AST]:
    """All that a function does itself, functions in it included and what is in those not."""
    body = function.body if isinstance(function.body, list) else [function.body]
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _Function):
            waiting += ast.iter_child_nodes(node)


def _locals(function: _Function, inside: list[ast.AST]) -> frozenset[str]:
    given = function.args
    names = {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    names |= {a.arg for a in (given.vararg, given.kwarg) if a is not None}
    names |= {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return frozenset(names)


def _changed_by(node: ast.expr | ast.stmt, theirs: set[str]) -> Iterator[str]:
    """The names at the root of what a node changes."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    elif isinstance(node, ast.Call):
        yield from _changed_by_call(node, theirs)
    for target in targets:
        for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
            if isinstance(part, ast.Attribute | ast.Subscript):
                yield _root(part)


def _changed_by_call(node: ast.Call, theirs: set[str]) -> Iterator[str]:
    called = node.func
    if isinstance(called, ast.Name) and called.id == "globals":
        yield "globals"
    if isinstance(called, ast.Name) and called.id in ("next", "setattr", "delattr") and node.args:
        yield _root(node.args[0])
    if isinstance(called, ast.Attribute) and called.attr in _MUTATING:
        of_a_module = isinstance(called.value, ast.Name) and called.value.id in theirs
        if not (of_a_module and called.value.id[:1].islower()):  # a function of that module
            yield _root(called.value)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_cached(node: ast.FunctionDef) -> bool:
    return any(
        (name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")) in _CACHES
        for name in (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    )


def _gives_values(node: ast.FunctionDef) -> bool:
    if node.returns is None:
        return False
    named = {n.id for n in ast.walk(node.returns) if isinstance(n, ast.Name)}
    return bool(named) and named <= _VALUES


def changes_of(path: Path) -> Iterator[tuple[str, str]]:
    """(file, name) of each change in a file of this checkout."""
    for change in changes(path.read_text("utf-8")):
        yield path.relative_to(ROOT).as_posix(), change.name
