# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Text that can always be written: of exceptions that cannot say what they are, of foreign words.

A compiler's message may hold bytes that were no UTF-8 (Python reads them as lone surrogates, which
no encoder takes), an exception's `__str__` may raise, a text may be longer than any record. None
of that may cost a test its outcome or a session its life, so whatever text comes from elsewhere
passes here before it is recorded, sent or printed.
"""

import contextlib
import io
import sys
import traceback
from typing import Any

import msgspec

MESSAGE_LIMIT = 2000
"""Characters of a record's message."""
_TEXT_LIMIT = 16 << 20
"""Characters of a kept text; the middle of a longer one is left out."""
_MOST_NESTED = 100
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


def plain(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """Data of Python's own types, with `writable` texts in it: what any encoder takes.

    What else is in it (a tensor that a test recorded as a property, a container that holds
    itself) becomes the text that shows it.
    """
    if value is None or type(value) in (bool, int, float, complex, bytes, bytearray, memoryview):
        return value
    if isinstance(value, str):
        return writable(str.__str__(value))
    kind = next((k for k in (dict, list, tuple, set, frozenset) if isinstance(value, k)), None)
    if kind is None or id(value) in inside or len(inside) > _MOST_NESTED:
        number = next((k for k in (int, float) if isinstance(value, k)), None)  # of numpy, of enum
        return number(value) if number else writable(_shown(value))
    inside = (*inside, id(value))
    if isinstance(value, dict):
        return {plain(k, inside): plain(v, inside) for k, v in value.items()}
    return kind(plain(each, inside) for each in value)


def encoded(value: object) -> bytes:
    """A value of ours as JSON, whatever texts are in it."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(plain(msgspec.to_builtins(value)))


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
            with contextlib.suppress(OSError, ValueError):  # it is closed, or its reader is gone
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
