# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a run: two tables of rows, and the run itself.

    attempts   one row for every attempt at every test, with its stages, outputs and texts
    ops        one row for the last result of every op of every test

Rows hold what the records say, and of a failure its fingerprint; what depends on other runs
(aliases, the usual depth, nights of mass failure) is worked out when they are read. A row names its
run by `Run.state`, so a run that was resumed or got a late shard has other rows than before and
never mixes with them.

Version history
    1   first version
    2   `mark`; rows of version 1 have none, and get it whenever they are read
    3   `incorrect`; of older rows nobody knows how many of a night's failures ran to the end
"""

import functools
import types
import typing

import msgspec

SCHEMA_VERSION = 3
NOWHERE = "none"
"""In an address's place: keep no history."""
DEFAULT_ADDRESS = "results/history"


class StageRow(msgspec.Struct, frozen=True, gc=False):
    """One stage of an attempt."""

    stage: str
    ok: bool
    wall_ms: int | None = None
    cpu_ms: int | None = None
    peak_kib: int | None = None


class OutputRow(msgspec.Struct, frozen=True, gc=False):
    """What counts of one output's checks."""

    path: str
    dtype: str
    state: str | None = None
    """`MetricState` of the worst asserted PCC; None where the output has none."""
    pcc: float | None = None
    atol: float | None = None
    failing: str = ""
    """Asserted checks that do not hold, by metric, with commas."""


class TextRow(msgspec.Struct, frozen=True, gc=False):
    """A kept text, see `harness.records.values.Artifact`."""

    level: str
    sha256: str
    size: int


class AttemptRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One attempt at one test, or a planned test that nobody ran."""

    test: str
    """`Identity.key`, as it was called then."""
    device: str
    attempt: int
    last: bool
    """False: a later attempt of the same run counts."""
    planned: bool
    missing: bool = False
    """Planned, and no shard reported it."""
    outcome: str
    shown: str
    """The outcome with that of the worst op, see `harness.records.outcomes.shown`."""
    excluded: str = ""
    """`Excluded`, as far as the run alone can say."""
    status: int = 0
    stage: str | None = None
    failed_op: str = ""
    """Name of the op that `shown` and `message` are of; empty where it is the model's own."""
    kind: str = ""
    message: str = ""
    """Of the failure, at most 2,000 characters."""
    mark: str = ""
    """`fingerprint` of what is bad, by the version that its first digits name; else empty."""
    passed: int = 0
    failed: int = 0
    incorrect: int = 0
    """As in `Sample`; all 0 in attempts that do not count."""
    started: float | None = None
    seconds: float | None = None
    cpu_s: float | None = None
    memory: int | None = None
    pcc_state: str | None = None
    pcc: float | None = None
    depth: str = ""
    only_op: int | None = None
    ops: int = 0
    """Unique ops that were found."""
    model_name: str = ""
    list_name: str = ""
    nodeid: str = ""
    entry: str = ""
    versions: str = ""
    """Key into `Run.versions`."""
    ir_hash: str = ""
    artifact_hash: str = ""
    stages: tuple[StageRow, ...] = ()
    outputs: tuple[OutputRow, ...] = ()
    """At most `MOST_OUTPUTS`, the worst first."""
    texts: tuple[TextRow, ...] = ()


class OpRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The last result of one op of one test."""

    test: str
    op_key: str
    name: str
    index: int
    count: int
    status: int
    outcome: str
    stage: str | None = None
    message: str = ""
    mark: str = ""
    """`fingerprint` of what is bad, by the version that its first digits name; else empty."""
    pcc_state: str | None = None
    pcc: float | None = None
    hit: bool = False
    texts: tuple[TextRow, ...] = ()
    """Of an op that needs attention only."""


TABLES: dict[str, type[msgspec.Struct]] = {"attempts": AttemptRow, "ops": OpRow}
ORDER = {"attempts": "test, run, attempt", "ops": "test, op_key, run"}
"""Likes stand together, so that they cost nothing, and one test's rows are read by themselves."""
MOST_OUTPUTS = 64


class Versions(msgspec.Struct, frozen=True, order=True):
    """With what a journal's tests ran; what may have changed between two runs."""

    git_commit: str = ""
    git_dirty: bool = False
    git_branch: str = ""
    python: str = ""
    versions: dict[str, str] = {}


class DeviceCounts(msgspec.Struct, frozen=True):
    """A device's tests in one run that are evidence of anything."""

    good: int
    bad: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run in one state."""

    run: str
    """Its id."""
    state: str
    """16 hex digits of the digest of all that is kept of it; what rows name it by."""
    session: str
    created: float
    """Seconds since the epoch; the axis of every series."""
    resumed: float = 0.0
    planned: int = 0
    reported: int = 0
    """Attempts that left a record of their own."""
    missing: tuple[str, ...] = ()
    """Sentences of its header."""
    left_out: tuple[str, ...] = ()
    """Keys of tests that its budget had no time for: they have no rows."""
    devices: dict[str, DeviceCounts] = {}
    lists: tuple[str, ...] = ()
    versions: dict[str, Versions] = {}
    rows: dict[str, int] = {}
    """Of each table."""
    source: str = "bringup"
    """Who wrote what it was read from: `bringup`, `junit`, `unique_ops`."""

    @property
    def freshness(self) -> tuple[float, int, str]:
        """Of two states of one run the greater counts: taken up later, or with more reported."""
        return max(self.created, self.resumed), self.reported, self.state


@functools.cache
def columns(row: type[msgspec.Struct]) -> dict[str, str]:
    """The table's columns and their DuckDB types, from the row's type alone."""
    hints = typing.get_type_hints(row)
    return {name: _type(hints[name], name) for name in row.__struct_fields__}


_PLAIN = {str: "VARCHAR", bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
_NARROW = {"wall_ms": "INTEGER", "cpu_ms": "INTEGER", "peak_kib": "INTEGER", "status": "TINYINT"}
_NARROW |= {"attempt": "SMALLINT", "seconds": "FLOAT", "cpu_s": "FLOAT"}


def _type(hint: typing.Any, name: str) -> str:
    if isinstance(hint, types.UnionType):
        hint = next(each for each in typing.get_args(hint) if each is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return f"{_type(typing.get_args(hint)[0], name)}[]"
    if hint in _PLAIN:
        return _NARROW.get(name, _PLAIN[hint])
    inside = ", ".join(f'"{field}" {kind}' for field, kind in columns(hint).items())
    return f"STRUCT({inside})"
