# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Several boards in one host: each leased by itself, and one that hangs costs no other its work.

The kind comes from outside, as anybody's may. Behind its boards is XLA on the CPU; files have one
hang or fail for good, and a reset that works or does not.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.listing import list_devices
from bringup.harness.devices import catalog, device_history
from bringup.harness.devices.board import Board, boards_of
from bringup.harness.devices.failures import HostTimeout
from bringup.harness.devices.lease import capacity, take
from bringup.harness.errors import DeviceError
from bringup.harness.recording.failures import outcome_of
from bringup.harness.records.schema import Outcome
from tests.integration.harness.test_device_history import total
from tests.integration.harness.test_devices import ADD, portable

ROOT = Path(__file__).parents[3]
KIND = '''
import os, time
from pathlib import Path
from bringup.harness.devices.kind import DeviceKind
from bringup.harness.devices.backends.pjrt import PjrtBackend

STATE = Path(os.environ["LOOM_STATE"])

class Backend(PjrtBackend):
    """A loom: it does what the files in its folder say."""

    def compile(self, stablehlo, options):
        me = os.environ["LOOM"]
        with (STATE / f"compiled {me}").open("a") as file:
            file.write("x")
        while (STATE / f"hang {me}").exists():
            time.sleep(0.1)
        return super().compile(stablehlo, options)

def reset(boards):
    with (STATE / "resets").open("a") as file:
        file.write(",".join(boards) + " ")
    if (STATE / "reset helps").exists():
        for board in boards:
            (STATE / f"hang {board}").unlink(missing_ok=True)
    return True

KINDS = tuple(
    DeviceKind(
        name=name,
        title=f"{takes} looms",
        backend=lambda name: Backend(),
        lease="loom" + os.environ["LOOM_STATE"].replace("/", "_"),
        boards=lambda: os.environ["LOOMS"].split(),
        only=lambda boards: {"LOOM": ",".join(boards)},
        takes=takes,
        reset=reset,
    )
    for name, takes in [("loom", 1), ("looms", 2)]
)
'''
_Put = Callable[..., None]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that says what the looms do; there are three."""
    folder = tmp_path / "looms"
    folder.mkdir()
    (tmp_path / "loom_kind.py").write_text(KIND)
    for name, text in {
        "LOOM_STATE": str(folder),
        "LOOMS": "0 1 2",
        "BRINGUP_CACHE": str(tmp_path / "cache"),
        "BRINGUP_RUN_ID": "tonight",
        catalog.KINDS_VARIABLE: "",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr("bringup.harness.device_host.client.PROBE_DEADLINE", 1.5)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("loom_kind", None)
    catalog._foreign.cache_clear()
    catalog.register("loom_kind")
    yield folder
    catalog._foreign.cache_clear()


def test_each_board_is_a_lease_and_one_of_several_takes_them_together(state: Path) -> None:
    assert (capacity("loom"), capacity("looms")) == (3, 1)
    assert [b.title for b in boards_of("looms")] == ["looms 0+1"]
    (listed,) = list_devices(["loom"])
    assert listed.capacity == 3
    first, second, third = (take("loom") for _ in range(3))
    assert first and second and third
    assert {x.board.numbers for x in (first, second, third)} == {("0",), ("1",), ("2",)}
    waited: list[object] = []
    waiting = threading.Thread(target=lambda: waited.append(take("looms")))
    waiting.start()
    time.sleep(0.3)
    assert not waited and first.wanted() and second.wanted() and not third.wanted()
    first.release()
    time.sleep(0.3)
    assert not waited, "it takes both or none"
    second.release()
    waiting.join(10)
    (both,) = waited
    both.release()  # type: ignore[attr-defined]
    third.release()


def test_a_board_to_be_avoided_is_taken_last(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRINGUP_AVOID_BOARDS", "loom 0,loom 2")
    taken = [take("loom") for _ in range(3)]
    assert [one.board.title for one in taken if one] == ["loom 1", "loom 0", "loom 2"]
    for one in taken:
        assert one is not None
        one.release()
    device = Device("loom")
    with device.leased():
        assert device.board.title == "loom 1"
    monkeypatch.setenv("BRINGUP_AVOID_BOARDS", device.board.title)
    with device.leased():
        assert device.board.title == "loom 0", "also one that it has kept"
    device.close()


@pytest.mark.usefixtures("no_process_left")
def test_a_board_is_kept_until_somebody_wants_it(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOMS", "0")
    first, second = Device("loom"), Device("loom")
    with first.leased():
        assert total(first) == [2.0] * 4
    host = first._host
    with first.leased():
        assert first._host is host, "nobody wanted it"
    with second.leased():  # which has the first one's host ended
        assert first._host is None
        assert total(second) == [2.0] * 4
    second.close()


@pytest.mark.usefixtures("no_process_left")
def test_a_board_that_hangs_is_reset_twice_and_then_its_work_moves(state: Path) -> None:
    """Between the hang and the probe nothing runs on it."""
    device, hangs = Device("loom"), state / "hang 0"
    (state / "reset helps").touch()
    for resets in ("0 ", "0 0 "):
        with device.leased():
            assert device.board == Board("loom", ("0",)) and total(device) == [2.0] * 4
            hangs.touch()
            with pytest.raises(HostTimeout):
                device.compile(portable(ADD), {}, timeout=1.0)
        with device.leased():
            assert total(device) == [2.0] * 4, "the probe hung too, until it was reset"
        assert (state / "resets").read_text() == resets
    hangs.touch()
    with device.leased():
        with pytest.raises(HostTimeout):
            device.compile(portable(ADD), {}, timeout=1.0)
        (state / "compiled 0").unlink()
        assert total(device) == [2.0] * 4
        assert device.board.title == "loom 1"
    assert (state / "compiled 0").read_text() == "x", "the probe, and nothing else"
    assert (state / "resets").read_text() == "0 0 ", "the budget of a run"
    assert "loom 0 is not to be believed" in device_history.drained(Board("loom", ("0",)))
    device.close()
    with device.leased():
        assert device.board.title == "loom 1", "tonight nobody takes the first"
    device.close()


def test_of_one_board_that_fails_for_good_what_runs_there_is_the_machines(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOMS", "7")
    (state / "hang 7").touch()
    device = Device("loom")
    device_history.suspect(device.board, "it was seen to hang")
    with device.leased(), pytest.raises(DeviceError, match=r"loom 7 is not to be .* \(it was seen"):
        device.open()
    with pytest.raises(DeviceError) as refused, device.leased():
        device.open()
    assert outcome_of(refused.value) is Outcome.INFRA
    device.close()
    monkeypatch.setenv("BRINGUP_RUN_ID", "tomorrow")
    assert device_history.drained(Board("loom", ("7",))) == "", "another run asks again"
