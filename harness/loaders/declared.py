# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The variants that a loader's source spells out, read without running any of it.

`ModelLoader._VARIANTS` is a dictionary whose keys are strings or members of an enum of strings, or
`{v: ... for v in ModelVariant}`; both may be those of another loader that is imported from beside.
Whatever is said in another way can only be asked for (:mod:`bringup.harness.loaders.asked`).
"""

import ast
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

CLASS = "ModelLoader"
_TABLE, _QUERY = "_VARIANTS", "query_available_variants"
_PLAIN = frozenset({"ForgeModel", "ABC", "object", "Generic"})
"""Bases that bring no variants of their own."""
_ABSTRACT = "NotImplementedError"
_DEEPEST = 8
"""Loaders that stand on one another."""


class _NotSpelledOutError(Exception):
    """Only whoever imports the loader knows."""


def declared_variants(path: Path) -> tuple[str, ...] | None:
    """The variants of a loader's file, in its order; empty of one that has none, None if only an
    import can say."""
    try:
        return tuple(dict.fromkeys(_Source(path, _DEEPEST).variants(CLASS)))
    except (_NotSpelledOutError, SyntaxError, ValueError, OSError, RecursionError):
        return None


def declared_methods(path: Path) -> frozenset[str]:
    """The methods of a loader's class and its bases, as far as it and files beside it say.

    One that only says that there is none, as those of `ForgeModel` do, is no method.
    """
    try:
        return frozenset(_Source(path, _DEEPEST).methods(CLASS))
    except (_NotSpelledOutError, SyntaxError, ValueError, OSError, RecursionError):
        return frozenset()


class _Source:
    """One Python file."""

    def __init__(self, path: Path, deep: int) -> None:
        if deep < 0:
            raise _NotSpelledOutError
        self._path, self._deep = path, deep
        self._body = ast.parse(path.read_bytes()).body
        self._classes = {n.name: n for n in self._body if isinstance(n, ast.ClassDef)}
        rest = (n for n in self._body if not isinstance(n, ast.ClassDef | ast.FunctionDef))
        if any(_mentions(node, _TABLE) for node in rest):
            raise _NotSpelledOutError  # it is changed after the class was made

    def variants(self, name: str) -> list[str]:
        """Those of a class of this file, or of one that it imports from beside."""
        cls = self._classes.get(name)
        if cls is None:
            source, other = self._imported(name)
            return source.variants(other)
        if any(isinstance(n, ast.FunctionDef) and n.name == _QUERY for n in cls.body):
            raise _NotSpelledOutError
        table = _assigned(cls, _TABLE)
        if table is not None:
            return self._keys(table)
        if any(_mentions(node, _TABLE) for node in cls.body if not _is_def(node)):
            raise _NotSpelledOutError
        others = [base for base in map(_last_name, cls.bases) if base not in _PLAIN]
        if (cls.keywords and any(k.arg != "metaclass" for k in cls.keywords)) or len(others) > 1:
            raise _NotSpelledOutError
        return self.variants(others[0]) if others else []

    def methods(self, name: str) -> Iterator[str]:
        """Those of a class of this file or of one that it imports from beside, bases' included."""
        cls = self._classes.get(name)
        if cls is None:
            source, other = self._imported(name)
            yield from source.methods(other)
            return
        own = {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef)}
        yield from (name for name, node in own.items() if not _gives_nothing(node))
        for base in map(_last_name, cls.bases):
            with contextlib.suppress(_NotSpelledOutError, SyntaxError, ValueError, OSError):
                yield from (name for name in self.methods(base) if name not in own)

    def _keys(self, table: ast.expr) -> list[str]:
        if isinstance(table, ast.Dict):
            return [text for key in table.keys for text in [self._text(key)]]
        if isinstance(table, ast.DictComp) and len(table.generators) == 1:
            (loop,) = table.generators
            same = isinstance(table.key, ast.Name) and isinstance(loop.target, ast.Name)
            if same and not loop.ifs and table.key.id == loop.target.id:  # type: ignore[attr-defined]
                return list(self._members(_last_name(loop.iter)).values())
        raise _NotSpelledOutError

    def _text(self, key: ast.expr | None) -> str:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return key.value
        if isinstance(key, ast.Attribute) and key.attr == "value":
            return self._text(key.value)
        if isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name):
            members = self._members(key.value.id)
            if key.attr in members:
                return members[key.attr]
        raise _NotSpelledOutError

    def _members(self, name: str) -> dict[str, str]:
        """By name, the texts of an enum's members."""
        cls = self._classes.get(name)
        if cls is None:
            source, other = self._imported(name)
            return source._members(other)
        if not any(_last_name(base) in ("StrEnum", "Enum") for base in cls.bases):
            raise _NotSpelledOutError
        found = {}
        for node in cls.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, value = node.targets[0], node.value
                if not isinstance(target, ast.Name):
                    raise _NotSpelledOutError
                if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
                    raise _NotSpelledOutError
                found[target.id] = value.value
            elif not (_is_def(node) or isinstance(node, ast.Expr | ast.Pass)):
                raise _NotSpelledOutError
        return found

    def _imported(self, name: str) -> "tuple[_Source, str]":
        """The file that a name is imported from, relative to this one, and its name there."""
        for node in self._body:
            if not isinstance(node, ast.ImportFrom) or not node.level or not node.module:
                continue
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    folder = self._path.parents[node.level - 1]
                    file = folder.joinpath(*node.module.split(".")).with_suffix(".py")
                    return _Source(file, self._deep - 1), alias.name
        raise _NotSpelledOutError


def _assigned(cls: ast.ClassDef, name: str) -> ast.expr | None:
    """What the body of a class assigns to a name, the last time."""
    found = None
    for node in cls.body:
        targets: Iterable[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = (node.target,)
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            found = node.value  # type: ignore[attr-defined]
        elif found is not None and not _is_def(node) and _mentions(node, name):
            raise _NotSpelledOutError
    return found


def _is_def(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _gives_nothing(method: ast.FunctionDef) -> bool:
    """Does it do nothing but return None, also `None, ()`, or raise NotImplementedError?"""
    body = method.body[bool(ast.get_docstring(method, clean=False)) :]
    if not body or isinstance(body[0], ast.Pass):
        return len(body) < 2
    if isinstance(body[0], ast.Raise) and body[0].exc is not None:
        called = body[0].exc
        return _last_name(called.func if isinstance(called, ast.Call) else called) == _ABSTRACT
    if isinstance(body[0], ast.Return):
        return ast.unparse(body[0]) in ("return", "return None", "return (None, ())")
    return False


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _mentions(node: ast.AST, name: str) -> bool:
    return any(found == name for found in _names(node))


def _names(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr
