# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Tests that probably have another name now: proposed, and never taken for granted.

One name vanished when the other appeared, on the same device, in the same flow, mode and variant,
and what the device's compiler was given is the same to the byte. A line in `aliases.toml` makes it
so.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from bringup.harness.records.naming import identity_of_key
from bringup.pipeline.history.samples import Sample


class Rename(NamedTuple):
    """One proposal."""

    old: str
    """A test's name, without its device."""
    new: str
    devices: tuple[str, ...]
    last: str
    """The last run that has the old name."""
    first: str
    """The first run that has the new name."""

    @property
    def line(self) -> str:
        """As the table `[names]` of aliases.toml takes it."""
        return f"{_toml(self.old)} = {_toml(self.new)}"


class _Life(NamedTuple):
    first: Sample
    last: Sample


def likely_renames(samples: Iterable[Sample]) -> list[Rename]:
    """The renames that a history's samples suggest, by their old names.

    Samples are under their present names, so what the alias map knows is not proposed again. A name
    that two others could have come from, or that could have become two, is not proposed: whoever
    sees both has to say which.
    """
    lives: dict[str, _Life] = {}
    for sample in samples:
        if not sample.ir_hash:
            continue
        known = lives.get(sample.test, _Life(sample, sample))
        lives[sample.test] = _Life(
            min(known.first, sample, key=_time), max(known.last, sample, key=_time)
        )
    alike: dict[tuple[str, ...], list[_Life]] = defaultdict(list)
    for life in lives.values():
        alike[(life.last.ir_hash, *_stays(life.last.test))].append(life)
        if life.first.ir_hash != life.last.ir_hash:
            alike[(life.first.ir_hash, *_stays(life.first.test))].append(life)
    after: dict[str, set[str]] = defaultdict(set)
    for group in alike.values():
        for old in group:
            for new in group:
                if _follows(old, new):
                    after[old.last.test].add(new.first.test)
    before: dict[str, set[str]] = defaultdict(set)
    for old_key, news in after.items():
        for new_key in news:
            before[new_key].add(old_key)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for old_key, news in after.items():
        new_key = next(iter(news))
        if len(news) == 1 and len(before[new_key]) == 1:
            name, _, device = old_key.rpartition("@")
            found[name, new_key.rpartition("@")[0]].append(device)
    return [
        Rename(
            old,
            new,
            tuple(sorted(devices)),
            lives[f"{old}@{devices[0]}"].last.run,
            lives[f"{new}@{devices[0]}"].first.run,
        )
        for (old, new), devices in sorted(found.items())
    ]


def _follows(old: _Life, new: _Life) -> bool:
    """Did one come when the other had gone, and be given what the other was given last?"""
    return old.last.at < new.first.at and old.last.ir_hash == new.first.ir_hash


def _time(sample: Sample) -> tuple[float, str]:
    return sample.at, sample.run


def _stays(key: str) -> tuple[str, ...]:
    """What a rename of a model leaves alone."""
    identity = identity_of_key(key)
    return (
        identity.device,
        identity.variant,
        identity.flow,
        identity.mode,
        identity.framework,
        identity.size,
    )


def _toml(text: str) -> str:
    """A basic string of TOML."""
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else f"\\{c}" if c in '"\\' else c
        for c in text
    )
    return f'"{escaped}"'
