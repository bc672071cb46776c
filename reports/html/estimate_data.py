# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What models would take on devices, as columns for the page's script: a cell of the grid each."""

from collections.abc import Iterable

from bringup.harness.records.estimates import Bound, Estimate, Source
from bringup.reports.html.grid_data import Grid
from bringup.reports.html.pack import Numbers, Pack, steps
from bringup.reports.model.run import Result

KNOWN, TOO_LARGE, BY_MEMORY, AT_LEAST, REFUSED = 1, 2, 4, 8, 16
"""Bits of `flags`: there is an estimate; it does not fit; traffic takes the time and not
arithmetic; temporaries are unknown; the compiler says that it does not fit."""
_MIB = 1 << 20


def estimates_block(grid: Grid) -> str:
    """Memory needed and there in MiB, seconds, and flags; 0 where there is no estimate.

    What is there is exact: it is a figure of the data sheet, which people know by heart.
    """
    found = [one.record.estimate if isinstance(one, Result) else None for one in grid.cells]
    pack = Pack()
    pack.add("need", _mebibytes(None if e is None else e.memory.needed for e in found))
    pack.add("room", [-(-e.memory.available // _MIB) if e else 0 for e in found])
    pack.add("time", steps([e.seconds if e else None for e in found]))
    pack.add("flags", [_flags(e) for e in found])
    return pack.text({})


def _mebibytes(sizes: Iterable[int | None]) -> Numbers:
    return steps([None if size is None else size / _MIB for size in sizes])


def _flags(one: Estimate | None) -> int:
    if one is None:
        return 0
    return (
        KNOWN
        + TOO_LARGE * (not one.fits)
        + BY_MEMORY * (one.bound is Bound.MEMORY)
        + AT_LEAST * (one.memory.source is Source.PROGRAM)
        + REFUSED * one.refused
    )
