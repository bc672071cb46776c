# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Leases in a shared directory: one holder at a time, and who counts as dead."""

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bringup.harness.errors import RecordError
from bringup.pipeline.running.leases import (
    BEAT_S,
    GRACE_S,
    HOLDERS,
    LEASES,
    SILENCE_S,
    Lease,
    Leases,
    holder_here,
    who_is_at,
)


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    for folder in (LEASES, HOLDERS):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_of_many_who_want_a_test_one_gets_it(run_dir: Path) -> None:
    holders = [Leases(run_dir, f"h{i}") for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        for key in ("a[full]@cpu", "b/../c"):
            got = list(pool.map(lambda each, key=key: each.take(key), holders))
            assert got.count(True) == 1
            assert holders[0].all()[key] == Lease(key, f"h{got.index(True)}")
    assert not [p for p in (run_dir / LEASES).iterdir() if p.name.startswith(".")]


def test_a_test_that_is_taken_again_has_its_last_holder(run_dir: Path) -> None:
    first, second = Leases(run_dir, "first"), Leases(run_dir, "second")
    assert first.take("a") and first.take("a") and not second.take("a")
    assert second.take("a", 2) and not first.take("a", 2)
    assert first.all() == {"a": Lease("a", "second", 2, lost=1)}


def test_who_gives_back_did_not_die(run_dir: Path) -> None:
    first, second = Leases(run_dir, "first"), Leases(run_dir, "second")
    assert first.take("a")
    first.give_back(first.all()["a"])
    assert second.all() == {"a": Lease("a", "first", 1, given_back=True)}
    assert second.take("a", 2)
    assert second.all() == first.all() == {"a": Lease("a", "second", 2, lost=0)}


def test_a_lease_that_was_made_though_its_maker_was_not_told_is_its_own(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by NFS, which repeats a call whose answer is lost: only the maker's name tells."""
    real = os.link

    def unanswered(source: Path, target: Path) -> None:
        real(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", unanswered)
    assert Leases(run_dir, "first").take("a")
    assert not Leases(run_dir, "second").take("a")


def test_a_holder_on_this_machine_is_dead_when_its_process_is_gone(
    run_dir: Path, clock: Clock
) -> None:
    """And what it had started, too."""
    body = (
        "import sys; from pathlib import Path; from bringup.pipeline.running.leases import *\n"
        "Leases(Path(sys.argv[1]), 'other').beat(); print('up', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", body, str(run_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        ours = Leases(run_dir, "ours", clock)
        assert not ours.is_dead("other") and ours.others_busy()
        assert who_is_at(run_dir) == "other"
        process.kill()
    assert not ours.is_dead("other")
    clock.now += GRACE_S
    assert ours.is_dead("other") and not ours.others_busy()
    assert who_is_at(run_dir) == ""


def test_a_holder_that_is_stopped_is_dead_as_long_as_it_is_silent(
    run_dir: Path, clock: Clock
) -> None:
    ours, other = Leases(run_dir, "ours", clock), Leases(run_dir, "other", clock)
    other.beat()
    assert not ours.is_dead("other")
    clock.now += SILENCE_S
    assert ours.is_dead("other")
    other.beat()
    assert not ours.is_dead("other") and ours.others_busy()
    other.beat(idle=True)
    assert not ours.others_busy()


def test_a_holder_elsewhere_is_dead_when_its_number_stands_still(
    run_dir: Path, clock: Clock
) -> None:
    path = run_dir / HOLDERS / "far.json"
    ours = Leases(run_dir, "ours", clock)

    def far(beat: int) -> None:
        path.write_text(json.dumps({"place": "far", "pid": 1, "started": 0, "beat": beat}))

    far(1)
    assert not ours.is_dead("far")
    clock.now += SILENCE_S - BEAT_S
    far(2)
    assert not ours.is_dead("far")
    clock.now += SILENCE_S - BEAT_S
    assert not ours.is_dead("far")
    clock.now += BEAT_S
    assert ours.is_dead("far")
    far(3)
    assert not ours.is_dead("far")


def test_who_left_is_gone_at_once(run_dir: Path) -> None:
    ours, other = Leases(run_dir, "ours"), Leases(run_dir, holder_here())
    other.beat()
    assert not ours.is_dead(other.holder)
    other.leave()
    assert ours.is_dead(other.holder) and not ours.is_dead("ours")


def test_a_lease_that_is_none_is_named(run_dir: Path) -> None:
    ours = Leases(run_dir, "ours")
    (run_dir / LEASES / "abc.1").write_text("{")
    with pytest.raises(RecordError, match=r"abc\.1"):
        ours.all()
    assert Leases(run_dir / "nowhere", "ours").all() == {}
