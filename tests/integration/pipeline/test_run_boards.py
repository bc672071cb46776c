# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One board, two slots: front ends run ahead of the board, whoever dies with it or before it.

The kind comes from outside, as anybody's may; its lease is a real one, and so are all processes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bringup.harness.devices import catalog
from bringup.harness.records.schema import Outcome
from bringup.pipeline.running.memory import MEMORY_PER_WORKER, available
from tests.integration.small_fleet import DEVICES, SmallFleet

KIND = """
from bringup.harness.devices.kind import DeviceKind

def backend(name):
    raise AssertionError("nobody opens it")

KINDS = (DeviceKind(name="loom", title="a loom", backend=backend, lease="loom-{mark}"),)
"""
TESTS = """
import contextlib, json
from bringup.harness.devices.lease import take
from bringup.harness.recording.current_test import open_test
from bringup.harness.records.schema import Stage

@contextlib.contextmanager
def seen(model, what):
    began = time.monotonic()
    with open("trace", "a") as file:
        file.write(json.dumps([model, what, os.getpid(), "begins", time.monotonic()]) + chr(10))
    yield
    with open("trace", "a") as file:
        file.write(json.dumps([model, what, os.getpid(), "ends", time.monotonic()]) + chr(10))

def on_loom(model, dies=""):
    test = open_test(None)
    with seen(model, "front"):
        time.sleep(0.2)
    if dies == "waiting":
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
    lease = take("loom", test.uncounted)
    with seen(model, "board"):
        if dies == "holding":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.6)
    lease.release()
    with seen(model, "rest"), test.stage(Stage.VERIFY):
        time.sleep(0.1)
"""
FINE = "@full\ndef test_fine{n}(flow): on_loom('fine{n}')\n"
DYING = "@full\ndef test_{how}(flow): on_loom('{how}', '{how}')\n"


class Span(NamedTuple):
    what: str
    pid: int
    begins: float
    ends: float


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallFleet]:
    fleet = SmallFleet(tmp_path)
    (tmp_path / "loom_kind.py").write_text(KIND.replace("{mark}", fleet.mark))
    loom = {"name": "loom", "state": "executes", "capacity": 1}
    (tmp_path / "devices.json").write_text(json.dumps([*DEVICES, loom]))
    durations = {
        f"{model}[full-eval]@loom": [[0.9, 1790000000.0, 1000, 0.6]]
        for model in ("holding", "waiting", *(f"fine{n}" for n in range(7)))
    }
    (tmp_path / "durations.json").write_text(json.dumps({"schema": 1, "samples": durations}))
    (tmp_path / "conftest.py").write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n")
    monkeypatch.setenv(catalog.KINDS_VARIABLE, "loom_kind")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield fleet


def spans(fleet: SmallFleet) -> dict[str, list[Span]]:
    """What each test did, where it came to the end of it."""
    begun: dict[tuple[str, str], float] = {}
    found: dict[str, list[Span]] = {}
    for line in (fleet.root / "trace").read_text().splitlines():
        event: Any = json.loads(line)
        model, what, pid, how, at = event
        if how == "begins":
            begun[model, what] = at
        else:
            found.setdefault(model, []).append(Span(what, pid, begun[model, what], at))
    return found


def together(all_spans: list[Span]) -> int:
    """The most of them that were going on at once."""
    return max(sum(o.begins <= s.begins < o.ends for o in all_spans) for s in all_spans)


def test_front_ends_run_ahead_of_a_busy_board_and_nobody_who_dies_keeps_it(
    fleet: SmallFleet,
) -> None:
    if available() < 4 * MEMORY_PER_WORKER:
        pytest.skip("too little memory for processes beside those that compute")
    fleet.file("test_loom", TESTS + "".join(FINE.format(n=n) for n in range(7)))
    others = TESTS + "".join(DYING.format(how=how) for how in ("holding", "waiting"))
    fleet.file("test_dying", others)
    code, said = fleet.run(
        *("run", "tests/models", "--device", "loom", "--workers", "2"),
        *("--durations", "durations.json"),
    )
    killed = {f"{how}[full-eval]@loom": Outcome.KILLED for how in ("holding", "waiting")}
    fine = {f"fine{n}[full-eval]@loom": Outcome.PASSED for n in range(7)}
    assert fleet.outcomes() == killed | fine, said
    assert code == 3 and "2 at a time" in said
    seen = [span for of_test in spans(fleet).values() for span in of_test]
    on_board = [span for span in seen if span.what == "board"]
    assert len(on_board) == 7 and together(on_board) == 1, "a lease is one process's"
    ahead = [
        front
        for front in (span for span in seen if span.what == "front")
        if sum(b.begins <= front.begins < b.ends and b.pid != front.pid for b in on_board)
        and waiting_at(front.begins, fleet) >= 1
    ]
    assert ahead, "a third began while one was on the board and a second waited for it"
    assert together(seen) <= 2 + 1, "two slots, and whoever has the board beside them"
    assert fleet.processes() == []


def waiting_at(moment: float, fleet: SmallFleet) -> int:
    """How many of the tests that came to their end were between front end and board."""
    by_test = [{span.what: span for span in of_test} for of_test in spans(fleet).values()]
    whole = (s for s in by_test if "front" in s and "board" in s)
    return sum(s["front"].ends <= moment < s["board"].begins for s in whole)


def test_who_asks_for_one_worker_gets_one_test_after_the_other(fleet: SmallFleet) -> None:
    fleet.file("test_loom", TESTS + "".join(FINE.format(n=n) for n in range(2)))
    code, said = fleet.run("run", "tests/models", "--device", "loom", "--workers", "1")
    assert code == 0, said
    seen = [span for of_test in spans(fleet).values() for span in of_test]
    assert len({span.pid for span in seen}) == 1 and together(seen) == 1
