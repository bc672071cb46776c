# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A device that hung is probed before it is believed; one that used to execute is remembered.

The device is a real one as far as the harness can tell: somebody else's kind that serves one
process at a time. Behind it is XLA on the CPU, and files that have it hang, lie or lose its driver.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.listing import list_devices
from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.devices import catalog, device_history
from bringup.harness.devices.board import Board
from bringup.harness.devices.failures import HostCrash, HostTimeout
from bringup.harness.errors import DeviceError
from bringup.harness.recording.failures import outcome_of
from bringup.harness.records.device_listing import DeviceState
from bringup.harness.records.schema import Outcome
from tests.integration.harness.test_devices import ADD, portable
from tests.integration.harness.test_op_pool import add

ROOT = Path(__file__).parents[3]
KIND = '''
import os, signal, time
from pathlib import Path
import msgspec
import numpy as np
from bringup.harness.devices.kind import DeviceKind
from bringup.harness.devices.backends.pjrt import PjrtBackend

STATE = Path(os.environ["ABACUS_STATE"])

class Backend(PjrtBackend):
    """A card: it does what the files in its folder say."""

    def open(self):
        if (STATE / "slow").exists():
            time.sleep(600)
        return msgspec.structs.replace(
            super().open(), executes=not (STATE / "no driver").exists()
        )

    def compile(self, stablehlo, options):
        with (STATE / "compiled").open("a") as file:
            file.write("x")
        if (STATE / "hang").exists():
            time.sleep(600)
        if (STATE / "crash").exists():
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().compile(stablehlo, options)

    def run(self, executable, inputs):
        outputs = super().run(executable, inputs)
        return [-np.asarray(o) for o in outputs] if (STATE / "lie").exists() else outputs

def backend(name):
    return Backend()

KINDS = (DeviceKind(name="abacus", title="An abacus", backend=backend),)
'''
_Set = Callable[..., None]


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Set]:
    """Have the card in the states named, and in no other."""
    state = tmp_path / "card"
    state.mkdir()
    (tmp_path / "abacus_card.py").write_text(KIND)
    monkeypatch.setenv("ABACUS_STATE", str(state))
    monkeypatch.setenv("BRINGUP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(catalog.KINDS_VARIABLE, "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("abacus_card", None)
    catalog._foreign.cache_clear()
    catalog.register("abacus_card")

    def put(*names: str) -> None:
        for name in ("slow", "no driver", "hang", "crash", "lie"):
            (state / name).unlink(missing_ok=True)
        for name in names:
            (state / name).touch()
        (state / "compiled").unlink(missing_ok=True)

    yield put
    catalog._foreign.cache_clear()


def compilations(folder: Path) -> int:
    made = folder / "card" / "compiled"
    return len(made.read_text()) if made.exists() else 0


def total(device: Device) -> list[float]:
    binary = device.compile(portable(ADD), {}, timeout=60.0)
    (outputs,), _ = device.run(binary, [torch.ones(4), torch.ones(4)], timeout=60.0)
    return [float(x) for x in outputs]


@pytest.mark.usefixtures("no_process_left")
def test_after_a_hang_a_probe_comes_before_the_next_program(card: _Set, tmp_path: Path) -> None:
    device = Device("abacus")
    card()
    assert total(device) == [2.0] * 4 and compilations(tmp_path) == 1, "nothing is probed unasked"
    card("hang")
    with pytest.raises(HostTimeout):
        device.compile(portable(ADD), {}, timeout=2.0)
    card()
    assert total(device) == [2.0] * 4 and compilations(tmp_path) == 2, "the probe, and the program"
    card()
    device.close()
    assert total(device) == [2.0] * 4 and compilations(tmp_path) == 1, "it passed"
    device.close()


@pytest.mark.usefixtures("no_process_left")
def test_what_runs_on_a_device_that_fails_its_probe_is_no_evidence(card: _Set) -> None:
    card("crash")
    with pytest.raises(HostCrash):
        Device("abacus").compile(portable(ADD), {})
    card("lie")
    for _ in range(2):  # the second process finds the same
        with pytest.raises(DeviceError, match=r"SIGSEGV.*probe computed 1 \+ 2 = \[-3") as lied:
            Device("abacus").open()
        assert outcome_of(lied.value) is Outcome.INFRA
    with OpPool("abacus", 1) as pool:
        run = pool.submit(add(1)).result()
    assert run.failure is not None and "probe computed" in run.failure.message
    card()
    device = Device("abacus")
    assert total(device) == [2.0] * 4
    device.close()


def test_a_device_in_memory_that_crashed_is_probed_by_who_saw_it(tmp_path: Path) -> None:
    device = Device("cpu")
    device.open()
    device._suspect("it was seen to hang")
    assert device_history.suspicion(Board("cpu")) == "", "nothing of it outlives its host"
    device.close()
    assert device.open().executes and not device._suspicion
    device.close()


HANG = """
import sys
from bringup.harness.device_host.client import Device
from tests.integration.harness.test_devices import ADD, portable
device = Device("abacus")
device.open()
print("open", flush=True)
device.compile(portable(ADD), {})
"""


@pytest.mark.usefixtures("no_process_left")
def test_who_was_killed_while_the_device_worked_leaves_it_suspect(
    card: _Set, tmp_path: Path
) -> None:
    card("hang")
    process = subprocess.Popen(
        [sys.executable, "-c", HANG], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    assert device_history.suspicion(Board("abacus")) == "", "somebody works on it"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert f"({process.pid}) ended without closing it" in device_history.suspicion(Board("abacus"))
    card()
    device = Device("abacus")
    assert device.open().executes and compilations(tmp_path) == 1
    device.close()
    assert device_history.suspicion(Board("abacus")) == ""


def test_a_device_that_used_to_execute_and_only_compiles_is_the_machines(card: _Set) -> None:
    card("no driver")
    laptop = Device("abacus")
    assert not laptop.executes(), "one that never did only compiles"
    laptop.close()
    card()
    device = Device("abacus")
    assert device.executes()
    device.close()
    card("no driver")
    with pytest.raises(DeviceError, match=r"abacus executed on this machine .* now only") as lost:
        device.executes()
    assert outcome_of(lost.value) is Outcome.INFRA
    device.close()
    (listed,) = list_devices(["abacus"])
    assert listed.state is DeviceState.MISSING and "--forget abacus" in listed.reason
    command = [
        sys.executable,
        "-m",
        "bringup.harness.list_devices",
        "abacus",
        "--forget",
        "abacus",
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '"state":"compiles"' in done.stdout


def test_another_machine_with_the_same_folder_remembers_nothing_of_it(
    card: _Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    device_history.remember_executing("abacus")
    assert device_history.executed_before("abacus")
    monkeypatch.setattr("socket.gethostname", lambda: "../elsewhere")
    assert not device_history.executed_before("abacus")
    device_history.remember_executing("abacus")
    assert device_history.executed_before("abacus")


def test_nothing_is_remembered_where_nothing_can_be_written(
    card: _Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINGUP_CACHE", "/proc/nowhere")
    device = Device("abacus")
    assert total(device) == [2.0] * 4
    device.close()


@pytest.mark.usefixtures("no_process_left")
def test_an_open_that_hangs_keeps_nobody_else_from_opening(card: _Set) -> None:
    pytest.importorskip("jax_plugins.libtt", reason="the package jax-tt-plugin is not installed")
    stuck = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, sys, tempfile, time\n"
            "os.environ['BRINGUP_COMMON_TMPDIR'] = tempfile.gettempdir()\n"
            "from bringup.harness.devices.backends.tenstorrent import _shared_assets\n"
            "with tempfile.TemporaryDirectory() as own:\n"
            "    tempfile.tempdir = own\n"
            "    with _shared_assets(): print('opening', flush=True); time.sleep(600)",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert stuck.stdout is not None and stuck.stdout.readline() == "opening\n"
        device = Device("n150")
        assert device.open().kind
        device.close()
        assert stuck.poll() is None, "it hung all the while, and would have for ten minutes"
    finally:
        stuck.kill()
        stuck.wait()
