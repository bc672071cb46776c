# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From the text of an option to its value, or to a sentence why it is none."""

import re
from collections.abc import Callable
from typing import NamedTuple

from bringup.harness.errors import UsageError
from bringup.harness.options.device_names import device_named
from bringup.harness.records.verdicts.recheck import parse_share
from bringup.pipeline.errors import PipelineError

LEAST_BUDGET_S = 1.0
"""A run that is over before anything could start."""
MOST_JOBS = 256
"""Of one matrix, says GitHub's page on limits."""


class Shard(NamedTuple):
    """The i-th of n parts, 1-based."""

    i: int
    n: int

    def __str__(self) -> str:
        return f"{self.i}/{self.n}"


def parse_shard(text: str) -> Shard:
    """Read `2/5`, the second of five shards.

    Raises:
        PipelineError: not of that form, or outside 1 to n.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not match:
        raise PipelineError(f"`{text}` is no shard; write i/n, e.g. 2/5 for the second of five")
    shard = Shard(int(match[1]), int(match[2]))
    if not 1 <= shard.i <= shard.n:
        raise PipelineError(f"there is no shard {shard.i} of {shard.n}; i runs from 1 to n")
    return shard


def names_of(text: str) -> tuple[str, ...]:
    """The devices of `--device NAME,NAME`; a file of figures is the device that it describes.

    Raises:
        PipelineError: there is none.
        UsageError: there is no such file.
    """
    names = tuple(device_named(name.strip()) for name in text.split(",") if name.strip())
    if not names:
        raise PipelineError(f"--device {text!r} names no device")
    return names


def count_of(what: str) -> Callable[[str], int]:
    """What reads a number of something, 1 to 9999999.

    Raises:
        PipelineError: what is read is none; `what` names it.
    """

    def parse(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and 0 < len(text) < 8 and int(text)):
            raise PipelineError(f"`{text}` is no number of {what}")
        return int(text)

    return parse


def parse_shards(text: str) -> int:
    """A number of shards.

    Raises:
        PipelineError: it is none, or above `MOST_JOBS`.
    """
    n = count_of("shards")(text)
    if n > MOST_JOBS:
        raise PipelineError(
            f"--shards {n}: a matrix of GitHub Actions takes {MOST_JOBS} jobs at most"
        )
    return n


def parse_seconds(text: str) -> float:
    """Seconds, above 0.

    Raises:
        PipelineError: it is no such number.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise PipelineError(f"`{text}` is no number of seconds")
    return number


def parse_span(text: str) -> float:
    """Seconds, written `10m`, `90s`, `1h` or as a number.

    Raises:
        PipelineError: not of that form.
    """
    match = re.fullmatch(r"(\d{1,7}(?:\.\d{1,3})?)([smh]?)", text)
    if not match:
        raise PipelineError(f"`{text}` is no time; write 90s, 10m or 1h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


class Span(float):
    """Seconds, written as a person writes them: `15m`, `90s`, `1h`."""

    def __str__(self) -> str:
        return span_text(self)


def parse_budget(text: str) -> Span:
    """Seconds that a run may take, written `15m`, `90s` or `1h`.

    Raises:
        PipelineError: not of that form, without a unit, or no time at all.
    """
    if not re.fullmatch(r"\d{1,7}(\.\d{1,3})?[smh]", text, re.ASCII):
        raise PipelineError(f"--budget {text!r} is no time with its unit; write 90s, 15m or 1h")
    seconds = parse_span(text)
    if seconds < LEAST_BUDGET_S:
        raise PipelineError(f"--budget {text!r} leaves no time for a test; 1s is the least")
    return Span(seconds)


def span_text(seconds: float) -> str:
    """A time as `parse_budget` reads it."""
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def checked_share(text: str) -> str:
    """A share such as `2%`, as it is written.

    Raises:
        UsageError: it is none.
    """
    parse_share(text)
    return text


def parse_folder(text: str) -> str:
    """A folder of tests, as it is written.

    Raises:
        UsageError: it is empty.
    """
    if not text:
        raise UsageError("--tests needs a folder")
    return text
