# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""When lists move: one commented file, `policy.toml`, and what a project changes of it."""

import math
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from bringup.harness.did_you_mean import hint
from bringup.harness.options.project import project_texts
from bringup.pipeline.errors import PolicyError

DEFAULTS = Path(__file__).with_name("policy.toml")
POLICY_NAME = "policy.toml"
"""Beside the lists; it may be absent."""


class Demote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[demote]`."""

    error_rate: float
    least_flake_rate: float
    unseen_failures: int
    doubt: float
    cap_a_night: int


class Promote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[promote]`."""

    error_rate: float
    flaky_share: float
    steady_rate: float
    flaky_rate: float
    nights: int
    attempts: int
    cool_down: int
    cap_a_night: int


class Quarantine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[quarantine]`."""

    rate: float
    error_rate: float


class Probing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[probe]`."""

    every: int
    every_compiling: int
    budget_s: float


class Counting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[evidence]`."""

    window: int
    break_rate: float
    sick_rate: float
    sick_nights: float


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[thresholds]`."""

    nights: int
    spread: float
    room: float
    gain: float
    highest_pcc: float
    lowest_pcc: float


class Pins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[pins]`."""

    tests: tuple[str, ...]


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `[[groups]]`; None: as everybody."""

    name: str
    tests: tuple[str, ...]
    owner: str = ""
    demote_error_rate: float | None = None
    promote_error_rate: float | None = None
    promote_nights: int | None = None
    cool_down: int | None = None


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of the file. `policy.toml` says what each value means."""

    demote: Demote
    promote: Promote
    quarantine: Quarantine
    probe: Probing
    evidence: Counting
    thresholds: Thresholds
    pins: Pins
    groups: tuple[Group, ...] = ()

    def pin_of(self, test: str) -> str:
        """The pin that holds a test where it is; empty when none does."""
        return next((pin for pin in self.pins.tests if matches(test, pin)), "")

    def group_of(self, test: str) -> Group | None:
        """The first group that a test is of."""
        return next((g for g in self.groups if any(matches(test, p) for p in g.tests)), None)

    def owner_of(self, test: str) -> str:
        """Who looks after a test; empty when nobody says so."""
        group = self.group_of(test)
        return group.owner if group else ""


def matches(test: str, pattern: str) -> bool:
    """Does a pattern mean a test's key? A key's own brackets are no pattern's."""
    return test == pattern or fnmatchcase(test, pattern.replace("[", "[[]"))


def log_odds(probability: float) -> float:
    """ln(p / (1 - p))."""
    return math.log(probability / (1 - probability))


def default_policy() -> Policy:
    """The policy of a project that changes nothing."""
    return _checked(tomllib.loads(DEFAULTS.read_text("utf-8")), DEFAULTS)


def policy_of(lists: Path) -> Policy:
    """The policy of a folder of lists: what the project names, else its `policy.toml`, else the
    defaults.

    Raises:
        PolicyError: as `read_policy`.
        UsageError: the project's file says what it may not.
    """
    named = project_texts().get("policy", ())
    if named:
        return read_policy(Path(named[0]))
    path = lists / POLICY_NAME
    return read_policy(path) if path.exists() else default_policy()


def read_policy(path: Path) -> Policy:
    """The defaults, with what a file changes of them.

    Raises:
        PolicyError: the file cannot be read, or a value of it is none; with file and field.
    """
    values = tomllib.loads(DEFAULTS.read_text("utf-8"))
    sections = (*values, "groups")
    for section, changed in _parsed(path).items():
        if section not in sections:
            raise PolicyError(f"{path}: there is no section {section}{hint(section, sections)}")
        if section == "groups":
            values[section] = changed
            continue
        if not isinstance(changed, dict):
            raise PolicyError(f"{path}: {section} is a section, and is given as a value")
        for name, value in changed.items():
            if name not in values[section]:
                near = hint(name, values[section])
                raise PolicyError(f"{path}: there is no field {section}.{name}{near}")
            values[section][name] = value
    return _checked(values, path)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path} is no TOML: {error}") from None


def _checked(values: Mapping[str, Any], path: Path) -> Policy:
    try:
        policy = msgspec.convert(values, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{path}: {_in_words(str(error))}") from None
    if wrong := _wrong(policy):
        raise PolicyError(f"{path}: {wrong}")
    return policy


def _in_words(said: str) -> str:
    """`Expected ..., got ... - at `$.demote.error_rate`` with the field first."""
    what, _, where = said.partition(" - at ")
    field = where.strip("`").removeprefix("$.") or "the file"
    return f"{field}: {what[:1].lower()}{what[1:]}"


_NIGHTS = 3650
"""Ten years: a larger number of nights is a slip."""
_RANGES: Mapping[str, tuple[int, int]] = {
    "unseen_failures": (1, 60),
    "cap_a_night": (0, 1_000_000),
    "nights": (1, _NIGHTS),
    "promote_nights": (1, _NIGHTS),
    "attempts": (1, 1000),
    "cool_down": (0, _NIGHTS),
    "every": (0, _NIGHTS),
    "every_compiling": (0, _NIGHTS),
    "budget_s": (0, 604_800),
    "window": (1, _NIGHTS),
    "sick_nights": (1, _NIGHTS),
    "spread": (0, 100),
    "room": (0, 100),
    "gain": (0, 1),
}
"""Of each value that is no rate, no share and no PCC, the least and the most; a week of seconds."""
_SHARES = ("_rate", "_share", "_pcc")


def _wrong(policy: Policy) -> str:
    """The first value that is none; empty when there is none."""
    parts: list[tuple[str, msgspec.Struct]] = [
        (name, getattr(policy, name))
        for name in policy.__struct_fields__
        if name not in ("pins", "groups")
    ]
    parts += [(f"groups.{group.name}", group) for group in policy.groups]
    for section, part in parts:
        for name in part.__struct_fields__:
            if why := _why_not(name, getattr(part, name)):
                return f"{section}.{name} is {_shown(getattr(part, name))}, and has to {why}"
    return _unfit(policy)


def _shown(value: object) -> str:
    """A value as a sentence can bear it."""
    return ascii(value) if isinstance(value, str | tuple) else f"{value}"[:40]


def _unfit(policy: Policy) -> str:
    """The first two values that do not go together; empty when there are none."""
    promote, evidence, thresholds = policy.promote, policy.evidence, policy.thresholds
    asked = [promote.nights, *(g.promote_nights or 0 for g in policy.groups)]
    names = [group.name for group in policy.groups]
    if max(asked) > evidence.window:
        return f"{max(asked)} nights are to lead up, and evidence.window is {evidence.window}"
    ascending = (
        ("promote.steady_rate", promote.steady_rate, "promote.flaky_rate", promote.flaky_rate),
        ("promote.flaky_rate", promote.flaky_rate, "quarantine.rate", policy.quarantine.rate),
        (
            "thresholds.lowest_pcc",
            thresholds.lowest_pcc,
            "thresholds.highest_pcc",
            thresholds.highest_pcc,
        ),
    )
    for less, lower, more, higher in ascending:
        if lower >= higher:
            return f"{less} has to be less than {more}"
    if twice := next((name for name in names if names.count(name) > 1), ""):
        return f"there are two groups called {twice}"
    return ""


def _why_not(name: str, value: object) -> str:
    if isinstance(value, str | tuple):
        texts = (value,) if isinstance(value, str) else value
        if not all(text.isprintable() for text in texts):
            return "be printable text"
        empty = not value if name in ("name", "tests") else False
        return "name something" if empty else ""
    if not isinstance(value, int | float):
        return ""
    if not math.isfinite(value):
        return "be a finite number"
    if name in ("rate", "doubt") or name.endswith(_SHARES):
        return "" if 0 < value < 1 else "lie between 0 and 1"
    least, most = _RANGES[name]
    return "" if least <= value <= most else f"be at least {least} and at most {most}"
