# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A thousand tests, half of them on a board, while everything dies that can: none is lost.

Tests crash, are killed, stop, take all memory; workers, the session and the supervisor are killed
from outside, workers are stopped, the clock is set, the disk is full for a while. A run that ends
before its tests is taken up again.
"""

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bringup.harness.devices import catalog
from bringup.harness.records.outcomes import latest
from bringup.harness.records.run_dir import read_merged
from bringup.harness.records.schema import Outcome
from bringup.pipeline.running.memory import cgroup_of
from tests.integration.pipeline.small_disk import small_disk
from tests.integration.pipeline.test_run_boards import KIND
from tests.integration.small_fleet import DEVICES, SmallFleet

MODELS = 500
TESTS = """
from bringup.harness.devices.lease import take
from bringup.harness.recording.current_test import open_test

def end(size):
    if size % 100 == 7: ctypes.string_at(0)
    if size % 100 == 27: os.kill(os.getpid(), signal.SIGKILL)
    if size % 100 == 47: os._exit(7)
    if size % 250 == 67: os.kill(os.getpid(), signal.SIGSTOP)
    if size % 250 == 87: bytearray(b"x") * 2**32

@full
@pytest.mark.parametrize("size", range({models}))
def test_it(size, flow, request):
    time.sleep(0.02)
    test = open_test(None)
    lease = take("loom", test.uncounted) if "loom" in request.node.nodeid else None
    end(size)
    time.sleep(0.02)
    if lease: lease.release()
"""
SELF_MADE = {7: Outcome.CRASHED, 27: Outcome.KILLED, 47: Outcome.CRASHED}
"""By size modulo 100, what a test makes of itself whatever happens around it."""
LIMIT = 3 * 1024**3


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    with small_disk(tmp_path, megabytes=64) as place:
        yield place


@pytest.fixture(params=["little memory", "front ends ahead"])
def memory(request: pytest.FixtureRequest) -> Iterator[Path | None]:
    """A memory cgroup for the run, in which nothing runs ahead of the board; None: memory enough
    for that, and nothing is killed for it, as where none can be made."""
    limited = request.param == "little memory"
    own = cgroup_of(Path("/proc/self/cgroup").read_text()) if limited else None
    folder = own.limit.parent / f"bringup-chaos-{os.getpid()}" if own else None
    try:
        if own is not None and folder is not None:
            folder.mkdir()
            (folder / own.limit.name).write_text(str(LIMIT))
    except OSError:
        folder = None
    yield folder
    for _ in range(50):
        with contextlib.suppress(OSError):
            if folder is not None:
                folder.rmdir()
            break
        time.sleep(0.1)


class Chaos:
    """Does one thing after another to a run."""

    def __init__(self, fleet: SmallFleet, disk: Path) -> None:
        self.fleet, self.disk, self.dice = fleet, disk, random.Random(11)
        self.done: Counter[str] = Counter()
        self.rare = ["controller", "supervisor", "disk", "controller", "supervisor"]

    def strike(self) -> None:
        """Once."""
        common = ["worker killed", "worker crashed", "worker stopped", "clock"]
        what = self.rare.pop() if self.rare and self.dice.random() < 0.25 else ""
        what = what or self.dice.choice(common)
        self.done[what] += 1
        if what == "clock":
            assert self.fleet.clock is not None
            self.fleet.clock.write_text(str(self.dice.choice([-7200, -30, 0, 30, 7200])))
        elif what == "disk":
            with contextlib.suppress(OSError), (self.disk / "filler").open("wb") as file:
                while True:
                    file.write(bytes(1 << 16))
        else:
            for process in self._victims(what):
                with contextlib.suppress(psutil.Error):
                    process.send_signal(
                        {"worker crashed": signal.SIGSEGV, "worker stopped": signal.SIGSTOP}.get(
                            what, signal.SIGKILL
                        )
                    )

    def _victims(self, what: str) -> list[psutil.Process]:
        if what == "controller":
            return self.fleet.controllers()
        if what == "supervisor":
            return self.fleet.by_command("stepping_clock run")
        forkers = {p.pid for p in self.fleet.preloaded()}
        workers = [p for p in self.fleet.processes() if p.ppid() in forkers]
        return [self.dice.choice(workers)] if workers else []


@pytest.mark.slow
def test_of_a_thousand_tests_none_is_lost(
    tmp_path: Path, disk: Path, memory: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = SmallFleet(tmp_path / "fleet")
    greed = "2**32" if memory else "2**20"
    fleet.file("test_all", TESTS.replace("{models}", str(MODELS)).replace("2**32", greed))
    (fleet.root / "loom_kind.py").write_text(KIND.replace("{mark}", fleet.mark))
    loom = {"name": "loom", "state": "executes", "capacity": 1}
    (fleet.root / "devices.json").write_text(json.dumps([*DEVICES, loom]))
    monkeypatch.setenv(catalog.KINDS_VARIABLE, "loom_kind")
    fleet.cgroup, fleet.clock = memory, fleet.root / "clock"
    output = disk / "out"
    words = ("run", "tests/models", "--device", "cpu,loom", "--timeout", "6", "--workers", "2")
    chaos = Chaos(fleet, disk)
    for attempt in range(12):
        again = ("run", "--resume", str(output), "--devices-from", "devices.json")
        log = (tmp_path / f"said-{attempt}").open("wb")
        if attempt:
            run = fleet.start_plain(*again, *words[4:], stdout=log.fileno())
        else:
            run = fleet.start(*words, "--history", "none", output=output, stdout=log.fileno())
        ends = time.monotonic() + chaos.dice.uniform(2.0, 6.0)
        while run.poll() is None:
            time.sleep(0.2)
            if time.monotonic() > ends and (output / "journal").exists():
                chaos.strike()
                ends = time.monotonic() + chaos.dice.uniform(1.0, 5.0)
        log.close()
        (disk / "filler").unlink(missing_ok=True)
        if (output / "run.json").exists() and not chaos.rare:
            break
    header, records = read_merged(output)
    found = {r.identity.key: r.outcome for r in latest(records)}
    said = (tmp_path / f"said-{attempt}").read_text(errors="replace")
    counts = Counter(found.values())
    print(dict(chaos.done), dict(counts), f"{attempt + 1} commands")
    assert len(found) == 2 * MODELS and not header.missing, said
    assert counts[Outcome.NOT_RUN] == 0 and counts[Outcome.PASSED] > 1.8 * MODELS, counts
    for key, outcome in found.items():
        made = SELF_MADE.get(int(key.partition("full-")[2].partition("-")[0]) % 100)
        assert made is None or outcome in (made, Outcome.KILLED, Outcome.CRASHED), key
    assert fleet.processes() == []
