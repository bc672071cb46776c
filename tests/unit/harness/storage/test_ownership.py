# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Shared temporary folders: every user is served, and nobody's trap is stepped into."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bringup.harness.devices.backends import tenstorrent
from bringup.harness.errors import RecordError
from bringup.harness.storage.ownership import is_trusted, open_plain, private_folder
from bringup.pipeline.errors import PipelineError
from bringup.pipeline.running.run_lock import NAME, RunLock, refuse_if_held
from tests.unit.other_user import ALICE, BOB, OTHERS, as_user, folder_for_all, needs_two_users


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Other users of the machine are at work in it."""
    yield from folder_for_all()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder like /tmp: root's, sticky, and open to all, also on the way to it."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    yield folder


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory that every user of the test may write."""
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o1777)
    monkeypatch.setenv("HOME", str(home))
    return home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def mine(shared: Path, uid: int) -> Path:
    return shared / f"bringup-{uid}"


def test_each_user_has_a_folder_that_nobody_else_enters(shared: Path) -> None:
    for uid in (ALICE, BOB):
        for _ in range(2):
            assert as_user(uid, lambda: str(private_folder(shared))) == str(mine(shared, uid))
        assert mode(mine(shared, uid)) == 0o700 and mine(shared, uid).stat().st_uid == uid


def test_a_folder_of_ours_that_stood_open_is_closed(shared: Path) -> None:
    mine(shared, os.geteuid()).mkdir()
    mine(shared, os.geteuid()).chmod(0o777)
    assert mode(private_folder(shared)) == 0o700


@pytest.mark.parametrize("trap", ["link", "file", "dangling link", "folder"])
def test_a_name_that_was_taken_is_not_used(shared: Path, homes: Path, trap: str) -> None:
    victim = shared.parent / "victim"
    victim.mkdir()
    name = mine(shared, ALICE)

    def lay() -> str:
        if trap == "folder":
            name.mkdir()
        elif trap == "file":
            name.touch()
        else:
            name.symlink_to(victim if trap == "link" else shared / "nowhere")
        return "laid"

    if trap == "folder" and not OTHERS:
        trap = "link"  # one's own folder is no trap
    assert as_user(BOB, lay) == "laid"
    before = name.lstat().st_mode
    found = as_user(ALICE, lambda: str(private_folder(shared)))
    assert found == str(homes / ".cache" / "bringup" / "tmp")
    assert name.lstat().st_mode == before and list(victim.iterdir()) == []
    assert not (shared / "nowhere").exists()


def test_a_folder_that_others_could_exchange_is_not_used(shared: Path, homes: Path) -> None:
    shared.chmod(0o777)
    found = as_user(ALICE, lambda: str(private_folder(shared)))
    assert found == str(homes / ".cache" / "bringup" / "tmp")
    homes.joinpath(".cache", "bringup").chmod(0o777)
    refusal = as_user(ALICE, lambda: str(private_folder(shared)))
    assert refusal.startswith("StorageError: no private temporary folder can be had: others can")
    assert "\n" not in refusal


def test_what_stands_open_to_others_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "assets"
    folder.mkdir(mode=0o755)
    assert is_trusted(folder)
    (tmp_path / "link").symlink_to(folder)
    assert not is_trusted(tmp_path / "link") and not is_trusted(tmp_path / "none")
    folder.chmod(0o757)
    assert not is_trusted(folder)


@needs_two_users
def test_another_users_folder_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "assets"
    folder.mkdir(mode=0o755)
    os.chown(folder, BOB, BOB)
    assert not is_trusted(folder)


def test_only_a_plain_file_of_one_name_is_opened(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    os.close(open_plain(plain, os.O_RDONLY))
    (tmp_path / "link").symlink_to(plain)
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("link", "is a link"), ("pipe", "is no regular"), (".", "is no regular")):
        with pytest.raises(RecordError, match=why):
            open_plain(tmp_path / name, os.O_RDONLY)
    (tmp_path / "second").hardlink_to(plain)
    with pytest.raises(RecordError, match="has several names"):
        open_plain(plain, os.O_RDWR)


def test_a_run_directory_whose_lock_is_a_link_costs_nobody_a_file(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NAME).symlink_to(victim)
    for touch in (lambda: refuse_if_held(tmp_path / "run"), lambda: RunLock(tmp_path / "run", 0.0)):
        with pytest.raises(RecordError, match="is a link, which is not followed"):
            touch()
    assert victim.read_text() == "precious"


def test_another_users_run_is_read_and_its_lock_respected(shared: Path) -> None:
    run = shared / "run"
    with RunLock(run):
        run.chmod(0o755)
        held = as_user(BOB, lambda: str(refuse_if_held(run)))
        assert held == f"{PipelineError.__name__}: the run in {run} is still going on (process " + (
            f"{os.getpid()})"
        )
    (run / NAME).write_text("\x1b[2J")  # left by a run that was killed
    (run / NAME).chmod(0o644)
    assert as_user(BOB, lambda: str(refuse_if_held(run))) == "None"


def opened(common: Path, own: Path, unpacked: str = "") -> str:
    """Open the plugin as `TenstorrentBackend` does, as far as files go; where assets were found."""
    own.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(own))
        patch.setenv(tenstorrent.COMMON_FOLDER_VARIABLE, str(common))
        with tenstorrent._shared_assets() as folder:
            found = sorted(str(p.readlink()) for p in folder.glob(tenstorrent.ASSETS))
            if unpacked:
                (folder / unpacked).mkdir()
                (folder / unpacked / "kernel.cpp").write_text("void main() {}")
    return ",".join(found)


def test_unpacked_assets_are_each_users_own(shared: Path) -> None:
    name = tenstorrent.ASSETS.replace("*", "1.0")
    for number, uid in enumerate((ALICE, BOB) if OTHERS else (ALICE,)):
        first, second = shared / f"first-{number}", shared / f"second-{number}"
        assert as_user(uid, lambda f=first: opened(shared, f, name)) == ""
        assert as_user(uid, lambda s=second: opened(shared, s)) == str(mine(shared, uid) / name)
        assert (mine(shared, uid) / name / "kernel.cpp").stat().st_uid == uid
        assert mode(mine(shared, uid) / "tt-open.lock") == 0o600


def test_assets_that_others_may_write_are_not_linked(shared: Path) -> None:
    name = tenstorrent.ASSETS.replace("*", "1.0")
    (shared / name).mkdir()
    (shared / name).chmod(0o777)
    assert as_user(ALICE, lambda: opened(shared, shared / "one")) == ""
    (shared / name).chmod(0o755)
    assert as_user(ALICE, lambda: opened(shared, shared / "two")) == str(shared / name)


@needs_two_users
def test_assets_that_another_user_laid_out_are_not_linked(shared: Path) -> None:
    name = tenstorrent.ASSETS.replace("*", "1.0")
    assert as_user(BOB, lambda: str((shared / name).mkdir())) == "None"
    assert as_user(ALICE, lambda: opened(shared, shared / "one")) == ""
