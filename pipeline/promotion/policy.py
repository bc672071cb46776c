# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""When lists move: one commented file, `policy.toml`, and what a project changes of it."""

import math
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bringup.harness.did_you_mean import hint
from bringup.pipeline.errors import PolicyError

T = TypeVar("T")
DEFAULTS = Path(__file__).with_name("policy.toml")


class Demote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[demote]`."""

    error_rate: float
    least_flake_rate: float
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

    @property
    def needed(self) -> float:
        """Log odds, steady against flaky, that attempts have to bring (Bayes' rule)."""
        return _log_odds(1 - self.error_rate) - _log_odds(1 - self.flaky_share)


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[evidence]`."""

    window: int
    suspect_share: float
    suspect_tests: int


class Pins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[pins]`."""

    tests: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of the file. `policy.toml` says what each value means."""

    demote: Demote
    promote: Promote
    evidence: Evidence
    pins: Pins


def read_policy(path: Path | None = None) -> Policy:
    """The defaults, with what a file changes of them.

    Raises:
        PolicyError: the file cannot be read, or a value of it is none; with file and field.
    """
    values = tomllib.loads(DEFAULTS.read_text("utf-8"))
    for section, changed in (_parsed(path) if path else {}).items():
        _known(path, section, values)
        if not isinstance(changed, dict):
            raise PolicyError(f"{path}: {section} is a section, and is given as a value")
        for name, value in changed.items():
            _known(path, name, values[section], f"{section}.")
            values[section][name] = value
    try:
        policy = msgspec.convert(values, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{path}: {error}") from None
    if wrong := _wrong(policy):
        raise PolicyError(f"{path}: {wrong}")
    return policy


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read: {error}") from None


def _known(path: Path | None, name: str, there: dict[str, Any], before: str = "") -> None:
    if name not in there:
        raise PolicyError(f"{path}: no field {before}{name}{hint(name, there)}")


def _wrong(policy: Policy) -> str:
    """The first value that is none; empty when there is none."""
    for section in ("demote", "promote", "evidence"):
        part = getattr(policy, section)
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if name.endswith(("_rate", "_share")) and not 0 < value < 1:
                return f"{section}.{name} is {value}, and has to lie between 0 and 1"
            least = 0 if name == "cool_down" or name.startswith("cap") else 1
            if isinstance(value, int) and value < least:
                return f"{section}.{name} is {value}, and has to be at least {least}"
    if policy.promote.steady_rate >= policy.promote.flaky_rate:
        return "promote.steady_rate has to be less than promote.flaky_rate"
    return ""


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
