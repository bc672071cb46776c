# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The Python that is begun before a run is planned: what it lends, what it becomes, how it ends."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bringup.harness.records.device_listing import DeviceState
from bringup.harness.session import begin
from bringup.pipeline import devices
from bringup.pipeline.early_python import EarlyPython, NotEarlyError, early_python
from tests.integration.small_fleet import SmallFleet, eventually

SETS_A_VARIABLE = "import os\nos.environ['A'] = '1'\nimport numpy\n"


@pytest.fixture
def early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EarlyPython]:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "test_one.py").write_text("import numpy\ndef test_one(): pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRINGUP_PARENT", raising=False)
    one = EarlyPython("models")
    yield one
    one.close()
    one.watchdog.wait(20)


def ask(early: EarlyPython, code: str, seconds: float = 60.0) -> int | None:
    return early.collect(["-c", code], Path.cwd(), "models", os.environ, seconds)


def test_what_it_lends_has_imported_what_test_files_name_and_ends_as_any(
    early: EarlyPython, tmp_path: Path
) -> None:
    assert ask(early, "import sys; sys.exit(7 if 'numpy' in sys.modules else 8)") == 7
    assert ask(early, "import os; os.kill(os.getpid(), 11)") == -signal.SIGSEGV
    assert ask(early, "import time; time.sleep(60)", 0.3) is None
    assert ask(early, "import os, sys; sys.exit(os.getcwd() != sys.argv[-1])") == 1
    (tmp_path / "models" / "test_two.py").write_text(SETS_A_VARIABLE)
    with pytest.raises(NotEarlyError, match="cannot collect"):
        ask(early, "pass")


LOSES_INTERRUPTS = """
import time
try:
    time.sleep(1)
except KeyboardInterrupt:
    pass
"""


def test_an_interrupt_that_comes_while_it_imports_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one is that Python raises in a callback: whoever closed it would wait for ever."""
    (tmp_path / "sitecustomize.py").write_text(LOSES_INTERRUPTS)
    paths = (str(tmp_path), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.delenv("BRINGUP_PARENT", raising=False)
    one = EarlyPython()
    watchdog = psutil.Process(one.watchdog.pid)
    eventually(lambda: "bringup.pipeline.running.watchdog" in watchdog.cmdline())
    time.sleep(0.3)
    one.watchdog.send_signal(signal.SIGINT)
    try:
        assert one.watchdog.wait(60) == 128 + signal.SIGTERM
    finally:
        one.watchdog.kill()
        one.close()


def test_it_becomes_a_process_that_speaks_into_the_log_and_holds_what_it_is_given(
    early: EarlyPython, tmp_path: Path
) -> None:
    says = """
import os, sys
from bringup.harness.preloaded.process import PreloadedPython
python = PreloadedPython.inherited(sys.argv[1].partition("=")[2])
code = "import sys; print('numpy' in sys.modules, flush=True)"
python.start(["-c", code], streams=(0, 1, 2)).wait(60)
python.close()
print(os.getcwd(), os.environ["WORD"], flush=True)
sys.stdin.read()
while not os.path.exists("go"):
    pass
sys.exit(9)
"""
    lock = tmp_path / "lock"
    environment = {**os.environ, "WORD": "said"}
    with (tmp_path / "log").open("ab") as log, lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        files = ("models/test_one.py",)
        early.become(["-c", says], tmp_path, files, environment, log.fileno(), held.fileno())
    log_text = tmp_path / "log"
    eventually(lambda: "said" in log_text.read_text())
    assert log_text.read_text() == f"True\n{tmp_path} said\n"
    with lock.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (tmp_path / "go").touch()
    assert early.watchdog.wait(20) == 9
    with lock.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_first_that_asks_takes_it_and_what_is_gone_is_not_had(early: EarlyPython) -> None:
    with begin() as session:
        session.hold(early)
        assert early_python() is early
        early.watchdog.kill()
        early.watchdog.wait()
        assert early_python() is None
        with pytest.raises(NotEarlyError, match="is gone"):
            ask(early, "pass")
    assert early_python() is None


def test_nothing_is_left_of_one_that_nobody_used(early: EarlyPython) -> None:
    watchdog = psutil.Process(early.watchdog.pid)
    eventually(lambda: len(watchdog.children(recursive=True)) >= 2)
    below = watchdog.children(recursive=True)
    early.close()
    early.close()  # once is enough
    gone, alive = psutil.wait_procs([watchdog, *below], timeout=10)
    assert not alive and len(gone) >= 3


def test_a_command_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    fleet = SmallFleet(tmp_path)
    fleet.file("test_one", "def test_one(): pass\n")
    code, said = fleet.run("run", "tests/models/test_two.py")
    assert code == 2 and "test_two" in said
    assert fleet.processes() == [] and not fleet.output.exists()


def test_devices_that_nothing_is_for_are_named_and_not_opened() -> None:
    listed = {d.name: d for d in devices.probe(Path.cwd(), only={"cpu"})}
    assert listed["cpu"].state is DeviceState.EXECUTES
    others = [device for name, device in listed.items() if name != "cpu"]
    assert len(others) > 5 and {d.state for d in others} == {DeviceState.MISSING}
    assert {d.reason for d in others} == {
        "it was not looked at: nothing that was asked for is for it"
    }
