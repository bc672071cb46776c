# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An estimate as people read it."""

from bringup.harness.records.estimates import Estimate, Source, span
from bringup.reports.text import numbers


def facts(one: Estimate | None) -> list[tuple[str, str]]:
    """What stands beside each other in a list of facts; nothing without an estimate."""
    if one is None:
        return []
    return [
        ("would need", memory_text(one)),
        ("would take", time_text(one)),
        (
            "work",
            f"{one.flops / 1e9:.4g} GFLOP by the {one.source}, {one.bytes / 1e6:.4g} MB moved",
        ),
    ]


def memory_text(one: Estimate) -> str:
    """`435 MiB of 79.1 GiB: arguments 418 MiB, outputs 15 MiB, temporaries 2 MiB`."""
    memory = one.memory
    parts = {
        "arguments": memory.arguments,
        "outputs": memory.outputs - memory.aliased,
        "temporaries": memory.temporaries,
        "code": memory.code,
    }
    said = ", ".join(f"{name} {numbers.size_text(size)}" for name, size in parts.items() if size)
    least = "at least " if memory.source is Source.PROGRAM else ""
    whole = f"{least}{numbers.size_text(memory.needed)} of {numbers.size_text(memory.available)}"
    fits = "" if one.fits else "does not fit: "
    return f"{fits}{whole}: {said}" if said else f"{fits}{whole}"


def time_text(one: Estimate) -> str:
    """`at least 286 µs, bound by memory, at the peak rate of tf32`; empty where unknown."""
    if one.seconds is None or one.bound is None:
        return ""
    rate = f"at the peak rate of {one.rate}" if one.rate else "no peak rate is known"
    return f"at least {span(one.seconds)}, bound by {one.bound}, {rate}"
