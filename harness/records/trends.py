# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`trends.json.zst`: the last nights of a run's tests, as columns; what pages draw as history.

The pipeline writes it beside `night.json` when it judges a run. So a page can be built again from
its run directory alone, byte for byte, wherever the history went. JSON whose columns are base64:
`zstd -dc` prints it, and 10,000 tests of 30 nights are some 2 MB.

Version history
    1   first version
"""

from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.night import Moment
from bringup.harness.records.packing import packed, read_lines
from bringup.harness.records.values import Artifact, Outcome
from bringup.harness.records.versions import decode_versioned
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.writable import encoded

TRENDS_NAME = "trends.json.zst"
TRENDS_SCHEMA = 1
ABSENT = 0
"""In `Trends.outcome`: the test was not there that night."""
NO_EVIDENCE = 0x80
"""In `Trends.outcome`, added to an outcome that says nothing of the test."""
_COLUMNS = {"outcome": 1, "status": 1, "pcc": 4, "seconds": 4, "memory": 4}
"""Bytes of an entry."""


class EarlierText(msgspec.Struct, frozen=True, gc=False):
    """A text of a test's last good night, kept beside tonight's so that they can be compared."""

    test: str
    """`Identity.key`."""
    run: str
    artifact: Artifact


class Trends(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tests by nights. A column has an entry for each test and night, a test's nights together."""

    schema: int
    run: str
    """The run that is judged: the last of `nights`, or, beside a later one, another of them."""
    nights: tuple[Moment, ...] = ()
    """The oldest first."""
    tests: tuple[str, ...] = ()
    """`Identity.key`, sorted."""
    outcomes: tuple[Outcome, ...]
    """What the codes mean: code 1 is the first of them."""
    outcome: bytes = b""
    """uint8[tests, nights]: `ABSENT`, or an outcome's code, with `NO_EVIDENCE` added to it."""
    status: bytes = b""
    """uint8[tests, nights]: how far it got (`Status`)."""
    pcc: bytes = b""
    """float32[tests, nights], little-endian like all here; NaN where there is none."""
    seconds: bytes = b""
    """float32[tests, nights]: wall time."""
    memory: bytes = b""
    """float32[tests, nights]: peak resident memory in MiB."""
    earlier: tuple[EarlierText, ...] = ()

    def __post_init__(self) -> None:
        entries = len(self.tests) * len(self.nights)
        for name, size in _COLUMNS.items():
            if len(getattr(self, name)) != entries * size:
                raise ValueError(
                    f"{name} has not {size} bytes for each of {len(self.tests)} tests "
                    f"and {len(self.nights)} nights"
                )
        if any(code & ~NO_EVIDENCE > len(self.outcomes) for code in set(self.outcome)):
            raise ValueError(f"outcome has a code above {len(self.outcomes)}")


def write_trends(run_dir: Path, trends: Trends) -> Path:
    """Write a run's past into its directory.

    Raises:
        RecordError: the disk is full or gone, or there are more tests than any run has.
    """
    data = packed(encoded(trends))
    if data is None:
        raise RecordError(f"{run_dir / TRENDS_NAME}: {len(trends.tests)} tests are too many")
    return write_atomically(run_dir / TRENDS_NAME, data)


def read_trends(run_dir: Path) -> Trends | None:
    """Read a run's past; None where nobody wrote any.

    Raises:
        RecordError: it cannot be read, has a newer schema, or its columns are of another length.
    """
    path = run_dir / TRENDS_NAME
    if not path.exists():
        return None
    what = "a run's past nights"
    return decode_versioned(read_lines(path), Trends, path, what, TRENDS_SCHEMA, "trends")
