# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""All runs of a folder at a glance: when, what came of each beside those before it, what broke.

Of a night's verdict only what is shown is read, and no record at all: a year of nights is there in
a second.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.night import NIGHT_NAME, Judgement, Moment
from bringup.harness.records.recent import merged_runs
from bringup.harness.records.run_dir import read_run_header
from bringup.harness.records.schema import Outcome, RunHeader
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.reports.model.headline import counted


class Regressed(msgspec.Struct, frozen=True, gc=False):
    """A test that was good and is bad: what a message says of it."""

    test: str
    device: str
    judgement: Judgement
    outcome: Outcome | None = None
    last_good: Moment | None = None
    cluster: str = ""
    command: str = ""


class _Named(msgspec.Struct, frozen=True, gc=False):
    id: str
    name: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of nights shows of a verdict (`bringup.harness.records.night`)."""

    run: str
    head: str = ""
    counts: dict[Judgement, int] = {}
    regressed: bool = False
    tests: tuple[Regressed, ...] = ()
    clusters: tuple[_Named, ...] = ()

    @property
    def regressions(self) -> tuple[Regressed, ...]:
        """Tests whose regression is settled."""
        return tuple(t for t in self.tests if t.judgement is Judgement.REGRESSION)

    def cause_of(self, test: Regressed) -> str:
        """Its cause's name; empty where it has none."""
        return next((one.name for one in self.clusters if one.id == test.cluster), "")


@dataclass(frozen=True)
class Night:
    """One merged run of a folder."""

    run_dir: Path
    header: RunHeader
    head: Head | None
    """None: nobody judged it."""

    @property
    def sentence(self) -> str:
        """What came of it."""
        if self.head is not None:
            return self.head.head
        planned = counted(self.header.planned, "test")
        return f"{planned}; nobody compared it with the runs before it."


def nights_of(results: Path) -> tuple[tuple[Night, ...], tuple[str, ...]]:
    """The merged runs below a folder, the newest first, and sentences: runs that cannot be read."""
    nights, losses = [], []
    for path in merged_runs(results):
        try:
            header = read_run_header(path.parent)
            verdict = path.parent / NIGHT_NAME
            head = None
            if verdict.exists():
                head = decode_json(read_bytes(verdict), Head, verdict, "a night's verdict")
            nights.append(Night(path.parent, header, head))
        except RecordError as error:
            losses.append(str(error))
    nights.sort(key=lambda n: (n.header.created, n.header.run_id), reverse=True)
    return tuple(nights), tuple(losses)
