# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What the text of an environment variable may be, and what it means."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bringup.harness.did_you_mean import hint

T = TypeVar("T")

_TRUE, _FALSE = ("1", "true", "on", "yes"), ("0", "false", "off", "no", "")
DEPTHS = ("TORCH_FX", "STABLEHLO", "TTNN_IR", "COMPILE_OP_BY_OP", "EXECUTE_OP_BY_OP", "EXECUTE")
SAVE_LEVELS = ("STABLEHLO", "TTIR", "TTNN")
_SHARE = re.compile(r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(%?)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
SHOWN = 80
"""Characters of a text that a sentence has room for."""


@dataclass(frozen=True)
class Values(Generic[T]):
    """A kind of values: how a text is read, and the words for what is taken."""

    takes: str
    parse: Callable[[str], T]

    def __call__(self, text: str) -> T:
        """A text's value.

        Raises:
            ValueError: it has none; the message says what was expected.
        """
        return self.parse(text)


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("expected 1 or 0, true or false")


flag = Values("1 or 0", _flag)
"""`1` or `0`, and the words for them."""


def one_of(*words: str) -> Values[str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected one of {', '.join(words)}{hint(text[:SHOWN], words)}")
        return text

    return Values(", ".join(words), parse)


def _save_levels(text: str) -> tuple[str, ...]:
    levels = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [level for level in levels if level not in SAVE_LEVELS]
    if unknown:
        raise ValueError(f"{unknown[0][:SHOWN]} is none of {', '.join(SAVE_LEVELS)}")
    return levels


save_levels = Values(f"{', '.join(SAVE_LEVELS)}, or several with commas", _save_levels)


def _log_level(text: str) -> str:
    if text.upper() not in ("", "INFO", "DEBUG"):
        raise ValueError("expected INFO or DEBUG")
    return text.upper()


log_level = Values("INFO, DEBUG or nothing", _log_level)


def whole(what: str, least: int = 0, most: int = 2**31) -> Values[int]:
    """A whole number in a range."""

    def parse(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and len(text) < 20):
            raise ValueError(f"expected {what}, a whole number")
        if not least <= int(text) <= most:
            raise ValueError(f"expected {what}, from {least} to {most}")
        return int(text)

    return Values(f"a whole number from {least} to {most}", parse)


def number(what: str, least: float = 0.0, *, strict: bool = False) -> Values[float]:
    """A finite number, at least or (`strict`) above `least`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not ((value > least if strict else value >= least) and value < float("inf")):
            raise ValueError(f"expected {what}, {'more than' if strict else 'at least'} {least:g}")
        return value

    return Values(f"{what}, {'more than' if strict else 'at least'} {least:g}", parse)


SECONDS = number("seconds", strict=True)


def _threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -1.0 <= value <= 1.0:
        raise ValueError("expected a correlation between -1 and 1")
    return value


threshold = Values("a correlation between -1 and 1", _threshold)


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text.strip())
    found = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= found <= 1:
        raise ValueError("expected a share of the cached verdicts, 2% or 0.02")
    return found


share = Values("a share, 2% or 0.02", _share)
"""`2%` or `0.02` as a number from 0 to 1."""


def _name(text: str) -> str:
    if _CONTROL.search(text) or text.startswith("-") or len(text) > 1000:
        raise ValueError("expected a name")
    return text


name = Values("a name", _name)
"""A name without what no name has: control characters, a dash in front."""


def _device(text: str) -> str:
    if "," in text:
        raise ValueError("expected the name of one device")
    return _name(text)


device = Values("the name of one device", _device)


def _path(text: str) -> Path:
    if "\0" in text or len(os.fsencode(text)) > 4000:
        raise ValueError("expected a path")
    return Path(text)


path = Values("a path", _path)
"""A path as the system takes it."""


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(_path(part) for part in text.split(os.pathsep) if part.strip())


paths = Values(f"paths, with `{os.pathsep}` between them", _paths)
"""Several paths."""
anything = Values("any text", str)
"""Another program's variable: we take it as it is."""
