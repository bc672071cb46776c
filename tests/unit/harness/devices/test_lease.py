# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A real device serves one process at a time, of whichever user, and outlives whoever holds it."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bringup.harness.devices import machine_lock
from bringup.harness.devices.lease import capacity, lease
from tests.unit.other_user import ALICE, BOB, as_user, child, folder_for_all, needs_two_users

ROOT = Path(__file__).parents[4]
HOLD = (
    "import sys, time; from bringup.harness.devices.lease import lease\n"
    "with lease('pjrt:lease-test'): print('held', flush=True); time.sleep(60)"
)
FILE = "bringup-lease-pjrt%3Ax.lock"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Other users of the machine are at work in it."""
    yield from folder_for_all()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like /run/lock, in which leases lie; nobody may enter the home folder of another."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("BRINGUP_CACHE", raising=False)
    folder = tmp_path / "lock"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(machine_lock, "FOLDERS", (folder,))
    if os.geteuid():
        monkeypatch.setattr(machine_lock, "_serves_all", lambda _: True)  # it cannot be root's
    return folder


def take() -> str:
    with lease("pjrt:x"):
        return "held"


KEPT = contextlib.ExitStack()


def keep() -> str:
    KEPT.enter_context(lease("pjrt:x"))
    return "held"


def waits(uid: int, action: Callable[[], str] = take) -> bool:
    """Does it wait? A child that is refused or served has ended within the second."""
    with child(uid, action) as waiting:
        time.sleep(0.7)
        return os.waitpid(waiting.pid, os.WNOHANG) == (0, 0)


def test_devices_in_memory_are_shared_and_others_are_not() -> None:
    assert capacity("cpu") is None and capacity("iree-cpu") is None
    assert capacity("cuda") == 1 and capacity("pjrt:anything") == 1


def test_a_lease_waits_for_its_holder_and_survives_its_death() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    second = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    time.sleep(1.0)
    assert second.poll() is None, "it waits"
    holder.kill()
    assert second.stdout is not None and second.stdout.readline() == "held\n"
    second.kill()
    second.wait()
    with lease("pjrt:lease-test"):
        pass


@pytest.mark.parametrize(("first", "second"), [(ALICE, BOB), (os.geteuid(), ALICE)])
def test_leases_exclude_each_other_across_users(folder: Path, first: int, second: int) -> None:
    def keep_with_a_folder_of_its_own() -> str:
        os.environ["TMPDIR"] = "/nowhere"
        return keep()

    with child(first, keep_with_a_folder_of_its_own, hold=True) as holder:
        assert holder.said() == "held"
        assert (folder / FILE).stat().st_uid == first
        assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o644, "whatever the umask"
        with child(second, keep) as waiting:
            time.sleep(0.5)
            assert os.waitpid(waiting.pid, os.WNOHANG) == (0, 0), "it waits"
            os.kill(holder.pid, signal.SIGKILL)
            assert waiting.said() == "held"
    assert as_user(second, take) == "held" == as_user(first, take)


def test_one_who_waited_for_a_file_that_was_taken_away_waits_again(folder: Path) -> None:
    with child(ALICE, keep, hold=True) as first, child(BOB, keep, hold=True) as second:
        assert first.said() == "held"
        time.sleep(0.3)
        (folder / FILE).unlink()
        with child(ALICE, keep, hold=True) as third:
            assert third.said() == "held", "on a new file"
            os.kill(first.pid, signal.SIGKILL)  # `second` is woken with the file that is gone
            time.sleep(0.3)
            assert os.waitpid(second.pid, os.WNOHANG) == (0, 0)
            assert waits(BOB)
        assert second.said() == "held"


@pytest.mark.parametrize("trap", ["link", "dangling link", "pipe", "folder", "second name"])
def test_what_is_no_lock_is_refused_in_a_sentence(folder: Path, trap: str) -> None:
    victim = folder.parent / "victim"
    victim.write_text("precious")
    place = folder / FILE
    if trap == "pipe":
        os.mkfifo(place)
    elif trap == "folder":
        place.mkdir()
    elif trap == "second name":
        place.hardlink_to(victim)
    else:
        place.symlink_to(victim if trap == "link" else folder / "nowhere")
    refusal = as_user(ALICE, take)
    assert refusal.startswith(f"DeviceError: the device pjrt:x cannot be leased: {place} ")
    assert "\n" not in refusal
    assert victim.read_text() == "precious" and not (folder / "nowhere").exists()


@needs_two_users
def test_a_lock_that_its_owner_lets_nobody_read_is_refused_in_a_sentence(folder: Path) -> None:
    (folder / FILE).touch(mode=0o600)
    os.chown(folder / FILE, BOB, BOB)
    assert "belongs to uid 54002, who lets nobody else read it" in as_user(ALICE, take)
    assert as_user(BOB, take) == "held"


def test_a_device_with_nodes_is_locked_by_their_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "board").mkdir(mode=0o755)
    monkeypatch.setattr(machine_lock, "NODES", tmp_path)

    def board() -> str:
        with machine_lock.machine_lock("board"):
            return "held"

    def keep_board() -> str:
        KEPT.enter_context(machine_lock.machine_lock("board"))
        return "held"

    with child(ALICE, keep_board, hold=True) as holder:
        assert holder.said() == "held"
        assert waits(BOB, board)
    assert as_user(BOB, board) == "held"
    assert list(folder.iterdir()) == ([] if os.geteuid() == 0 else [folder / FILE])


def test_a_name_cannot_lead_out_of_the_folder(folder: Path) -> None:
    with machine_lock.machine_lock("pjrt:../../x"):
        assert [p.name for p in folder.iterdir()] == ["bringup-lease-pjrt%3A..%2F..%2Fx.lock"]


def test_without_a_place_for_all_a_users_own_processes_take_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_lock, "FOLDERS", (tmp_path / "none",))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with child(os.geteuid(), keep, hold=True) as holder:
        assert holder.said() == "held"
        assert waits(os.geteuid())
    assert (tmp_path / f"bringup-{os.geteuid()}" / FILE).is_file()
