# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an actor of :mod:`bringup.pipeline.running.ray_cluster` runs: a participant of its own.

`python -m bringup.pipeline.running.ray_part < SETTINGS` runs tests of the plan that the settings
name, one after the other, until all of them have their outcome. It never writes what the run comes
to, and dies with its actor.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from bringup.harness.inner_process import refuse_person
from bringup.harness.records.run_dir import read_plan
from bringup.pipeline.lifeline import adopt_orphans, die_with_parent
from bringup.pipeline.running import memory
from bringup.pipeline.running.engine import End
from bringup.pipeline.running.ledger import Ledger
from bringup.pipeline.running.session import Settings
from bringup.pipeline.running.shared import Participant
from bringup.pipeline.running.shared_clock import age_s
from bringup.pipeline.running.supervisor import counted_signals


class _Pulling(Participant):
    """Takes part, and leaves the end to the driver."""

    def takes_the_end(self) -> bool:
        """Never."""
        return False


class _Unwatched:
    """The driver shows what happens."""

    def update(self, ledger: Ledger, finished: list[str]) -> None:
        """Say nothing."""


def main() -> int:
    """Run; 0 when every test has its outcome."""
    die_with_parent(os.getppid(), signal.SIGTERM)
    try:
        given = msgspec.json.decode(sys.stdin.read(), type=Settings, dec_hook=_path)
    except msgspec.DecodeError:
        refuse_person()
    settings = replace(given, memory=memory.available(), until=_until(given))
    adopt_orphans()
    with counted_signals() as signals:
        part = _Pulling(read_plan(settings.plan), settings, _Unwatched(), {})
        ended = part.run(signals)
        part.finish(ended)
    for sentence in ended.sentences:
        print(sentence)
    return 0 if ended.how is End.FINISHED else 1


def _until(given: Settings) -> float | None:
    """When the run's time is over, on this machine's steady clock: what is given counts from the
    moment at which the part was written."""
    if given.until is None:
        return None
    return time.monotonic() + given.until - age_s(given.plan)


def _path(kind: type, value: Any) -> Any:
    return Path(value) if kind is Path else value


if __name__ == "__main__":
    sys.exit(main())
