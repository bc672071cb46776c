# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`${{ ... }}`: contexts, `==`, `!=`, `&&`, `||`, `!`, texts, numbers, and the status functions.

Source: GitHub Actions, "Evaluate expressions in workflows and actions": texts are compared without
case, what is absent is empty, `&&` and `||` give one of their sides.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(?P<sign>==|!=|&&|\|\||[!()]))"
)
_INSERTED = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.S)
_WORDS = {"true": True, "false": False, "null": None}
Context = Mapping[str, Any]


def inserted(text: str, context: Context) -> Any:
    """A value of a workflow with its expressions carried out.

    A text that is one expression and nothing else keeps the expression's type.
    """
    if whole := _INSERTED.fullmatch(text.strip()):
        return value(whole[1], context)
    return _INSERTED.sub(lambda found: as_text(value(found[1], context)), text)


def condition(text: object, context: Context) -> bool:
    """An `if`: without a status function it also asks that nothing before it failed."""
    said = str(text).strip()
    whole = _INSERTED.fullmatch(said)
    said = whole[1] if whole else said
    asks = re.search(r"\b(always|success|failure|cancelled)\s*\(", said)
    return bool(value(said, context)) and (asks is not None or _status(context, "success"))


def as_text(found: Any) -> str:
    """A value as it stands in a line."""
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    return found if isinstance(found, str) else json.dumps(found)


def value(text: str, context: Context) -> Any:
    """What one expression comes to.

    Raises:
        ValueError: it has what nothing here knows.
    """
    parser = _Parser(text, context)
    found = parser.either()
    if parser.left:
        raise ValueError(f"{text!r} goes on with {parser.left[0]!r}")
    return found


class _Parser:
    def __init__(self, text: str, context: Context) -> None:
        self.context = context
        self.left: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"{text!r} has {text[at:].strip()!r}, which nothing here knows")
            assert match.lastgroup is not None
            self.left.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()

    def either(self) -> Any:
        found = self.both()
        while self.takes("||"):
            other = self.both()
            found = found or other
        return found

    def both(self) -> Any:
        found = self.compared()
        while self.takes("&&"):
            other = self.compared()
            found = found and other
        return found

    def compared(self) -> Any:
        found = self.single()
        for sign, equal in (("==", True), ("!=", False)):
            if self.takes(sign):
                return (_folded(found) == _folded(self.single())) is equal
        return found

    def single(self) -> Any:
        if self.takes("!"):
            return not self.single()
        if self.takes("("):
            found = self.either()
            self.must(")")
            return found
        kind, text = self.left.pop(0)
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "name" and self.takes("("):
            arguments = [] if self.takes(")") else [self.either()]
            if arguments:
                self.must(")")
            return _called(text, arguments, self.context)
        if kind == "name":
            return _WORDS[text] if text in _WORDS else looked_up(text, self.context)
        raise ValueError(f"{text!r} begins no value")

    def takes(self, sign: str) -> bool:
        if self.left and self.left[0] == ("sign", sign):
            self.left.pop(0)
            return True
        return False

    def must(self, sign: str) -> None:
        if not self.takes(sign):
            raise ValueError(f"`{sign}` is missing")


def looked_up(name: str, context: Context) -> Any:
    """`needs.plan.outputs.matrix` of the contexts; what is absent is None.

    Raises:
        ValueError: there is no such context.
    """
    first, *rest = name.split(".")
    if first not in context:
        raise ValueError(f"there is no context `{first}`")
    found = context[first]
    for part in rest:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _called(name: str, arguments: list[Any], context: Context) -> Any:
    functions: dict[str, Callable[[], Any]] = {
        "always": lambda: True,
        "success": lambda: _status(context, "success"),
        "failure": lambda: _status(context, "failure"),
        "cancelled": lambda: _status(context, "cancelled"),
        "fromJSON": lambda: json.loads(arguments[0]),
        "toJSON": lambda: json.dumps(arguments[0]),
    }
    if name not in functions:
        raise ValueError(f"there is no function `{name}`")
    return functions[name]()


def _status(context: Context, wanted: str) -> bool:
    return bool(context["job"]["status"] == wanted)


def _folded(found: Any) -> Any:
    return found.casefold() if isinstance(found, str) else "" if found is None else found
