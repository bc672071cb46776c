# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Text that can always be written: of exceptions that cannot say what they are, of foreign words.

A compiler's message may hold bytes that were no UTF-8 (Python reads them as lone surrogates, which
no encoder takes), an exception's `__str__` may raise, a text may be longer than any record. None
of that may cost a test its word or a session its life, so whatever text comes from elsewhere
passes here before it is recorded, sent or printed.
"""

import io
import sys
import traceback
from typing import Any

import msgspec

MESSAGE_LIMIT = 2000
"""Characters of a record's message."""
_TEXT_LIMIT = 16 << 20
"""Characters of a kept text; the middle of a longer one is left out."""
_MOST_NESTED = 200
_ENCODER = msgspec.json.Encoder()


def writable(text: str) -> str:
    """The text as UTF-8 and every tool takes it: lone surrogates and NULs as escapes."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def writable_all(value: Any, depth: int = 0) -> Any:
    """Plain data with `writable` texts in it, keys included; what is no plain data stays."""
    if isinstance(value, str):
        return writable(value)
    if depth > _MOST_NESTED:
        return f"(nested deeper than {_MOST_NESTED})"
    if isinstance(value, dict):
        items = value.items()
        return {writable_all(k, depth + 1): writable_all(v, depth + 1) for k, v in items}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(writable_all(each, depth + 1) for each in value)
    return value


def encoded(value: object) -> bytes:
    """A value of ours as JSON, whatever texts are in it."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(writable_all(msgspec.to_builtins(value)))


def said_by(error: BaseException) -> str:
    """What an exception says: never empty, and no exception whatever its `__str__` does."""
    name = type(error).__name__
    try:
        said = str(error)
        if not isinstance(said, str):  # a str subclass may hand out anything
            raise TypeError(name)
        said = str.__str__(said)
    except KeyboardInterrupt:
        raise
    except BaseException as refusal:  # the class is broken: its arguments are the next best
        said = f"{name}{_shown(error.args)} (its text cannot be had: {type(refusal).__name__})"
    return writable(_bounded(said.strip())) or name


def trace_of(error: BaseException) -> str:
    """The whole traceback of an exception, its causes and its group's members."""
    try:
        lines = traceback.format_exception(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # an exception whose parts cannot be shown: where it was raised can
        lines = [*traceback.format_tb(error.__traceback__), f"{type(error).__name__}: "]
        lines += [said_by(error), "\n"]
    return writable(_bounded("".join(lines)))


def never_fail_to_print() -> None:
    """Have this process's output escape what its encoding has no letters for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _shown(value: object) -> str:
    try:
        return repr(value)[:MESSAGE_LIMIT]
    except KeyboardInterrupt:
        raise
    except BaseException:
        return "(...)"


def _bounded(text: str) -> str:
    if len(text) <= _TEXT_LIMIT:
        return text
    half = _TEXT_LIMIT // 2
    cut = len(text) - 2 * half
    return f"{text[:half]}\n[... {cut} characters left out ...]\n{text[-half:]}"
