# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is another between two runs: packages, commits, chip files, the model itself."""

from collections.abc import Mapping

from bringup.harness.records.night import Change
from bringup.pipeline.history.samples import Sample

Versions = Mapping[str, Mapping[str, str]]
"""By kind (`packages`, `commits`, `chips`), name to version, commit or digest."""
Table = Mapping[str, Versions]
"""By `Sample.versions`."""


def changes(before: Versions, after: Versions) -> tuple[Change, ...]:
    """What was added, taken away or changed, by kind and name."""
    found = []
    for kind in sorted({*before, *after}):
        old, new = before.get(kind, {}), after.get(kind, {})
        for name in sorted({*old, *new}):
            if old.get(name, "") != new.get(name, ""):
                found.append(Change(kind, name, old.get(name, ""), new.get(name, "")))
    return tuple(found)


def changed_between(before: Sample, after: Sample, table: Table) -> tuple[Change, ...]:
    """What is another between two nights of a test.

    Of the model is known only that what the compiler was given is another. A run whose versions
    nobody has says nothing.
    """
    found: tuple[Change, ...] = ()
    if before.ir_hash and after.ir_hash and before.ir_hash != after.ir_hash:
        found = (Change("model", "what the compiler was given", before.ir_hash, after.ir_hash),)
    if before.versions in table and after.versions in table:
        found += changes(table[before.versions], table[after.versions])
    return found
