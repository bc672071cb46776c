# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Leases in a directory that several machines share: who runs what, and who is gone.

leases/HASH.TURN       `{"key", "holder", "turn"}`: a test was taken; the last turn counts
leases/HASH.TURN.back  its holder gave it back, and did not die with it
holders/HOLDER.json    `{"place", "pid", "started", "beat", "idle"}`: a participant, and a number
                       that it raises as long as it lives

A lease is a hard link to a whole file, which only one of all can make: link(2) is atomic on NFS
too. It is never changed and never removed, so what was read once need not be read again. No lock is
used and no clock is compared: clocks of machines differ, and are set. A holder in the same place (a
boot of a machine, and a namespace of its processes) is dead soon after its process is gone; any
holder is when nobody saw its number rise for `SILENCE_S` by the onlooker's own steady clock.
"""

import functools
import hashlib
import os
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.writable import encoded

T = TypeVar("T")

NAME = "shared.json"
"""In the directory of a run that several carry out together."""
LEASES, HOLDERS = "leases", "holders"
BEAT_S = 5.0
SILENCE_S = 90.0
"""A directory on NFS shows what others wrote up to a minute late (nfs(5), `acdirmax`)."""
GRACE_S = 10.0
"""What a killed participant started is ended by its watchdog within so many seconds."""
_BACK = "back"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


class Lease(msgspec.Struct, frozen=True):
    """A test that is or was taken."""

    key: str
    holder: str
    turn: int = 1
    """How often it has been taken, this time included."""
    given_back: bool = False
    """Nobody has it; said by a file of its own."""
    lost: int = 0
    """How many of its earlier holders did not give it back: they died while they had it."""


class Holder(msgspec.Struct, frozen=True):
    """A participant, as it tells the others."""

    place: str
    pid: int
    started: int
    """Of the process, in ticks since its machine was booted: no clock that is set moves it."""
    beat: int
    idle: bool = False
    """It can run nothing of what nobody has."""


def holder_here() -> str:
    """A name for this process that no other has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class Leases:
    """The leases of one run, as one holder sees them."""

    def __init__(
        self, run_dir: Path, holder: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`holder` is whoever leases are taken for; nothing is written before `beat` or `take`.

        `clock` gives seconds, and never goes back.
        """
        self._leases, self._holders = run_dir / LEASES, run_dir / HOLDERS
        self.holder = holder
        self._clock = clock
        self._beat, self._next_beat, self._idle = 0, float("-inf"), False
        self._known: dict[str, Lease] = {}
        """What was read, by file name."""
        self._seen: dict[str, tuple[int, float]] = {}
        """Of each holder the last number, and when it was first seen."""
        self._gone: dict[str, float] = {}
        """Since when the process of a holder in this place is gone."""

    def beat(self, *, idle: bool | None = None) -> None:
        """Say that this holder lives, and whether it is idle (None: as before); cheap to repeat.

        Raises:
            RecordError: the directory cannot be written.
        """
        changed = idle is not None and idle is not self._idle
        if self._clock() < self._next_beat and not changed:
            return
        self._idle = self._idle if idle is None else idle
        self._next_beat = self._clock() + BEAT_S
        self._beat += 1
        here = Holder(_place(), os.getpid(), _started(os.getpid()) or 0, self._beat, self._idle)
        write_atomically(self._path_of(self.holder), encoded(here), sync=False)

    def leave(self) -> None:
        """This holder is through, with all that it has."""
        self._path_of(self.holder).unlink(missing_ok=True)

    def take(self, key: str, turn: int = 1) -> bool:
        """Take a test for the `turn`-th time; False when somebody else has.

        True again for whoever has it.

        Raises:
            RecordError: the directory cannot be written.
        """
        target = self._leases / f"{_hash(key)}.{turn}"
        if target.exists():
            return self._has(target)
        temporary = self._leases / f".{self.holder}-{secrets.token_hex(4)}"
        write_atomically(temporary, encoded(Lease(key, self.holder, turn)))
        try:
            os.link(temporary, target)
        except OSError as error:  # by NFS, also of a link that was made and whose answer was lost
            if not target.exists():
                raise cannot_write(target, error) from error
            return self._has(target)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _has(self, target: Path) -> bool:
        found = _read(target, Lease)
        return found is not None and found.holder == self.holder

    def give_back(self, lease: Lease) -> None:
        """Let somebody else have what this holder took and did not run to its end.

        Raises:
            RecordError: the directory cannot be written.
        """
        write_atomically(self._leases / f"{_hash(lease.key)}.{lease.turn}.{_BACK}", b"")

    def all(self) -> dict[str, Lease]:
        """The last lease of each test that was ever taken, by key.

        Raises:
            RecordError: the directory cannot be read.
        """
        turns: dict[str, dict[int, bool]] = defaultdict(dict)
        names = set(_names(self._leases))
        for name in names:
            of, _, turn = name.partition(".")
            if of and turn.isdecimal():
                turns[of][int(turn)] = f"{name}.{_BACK}" in names
        found = {}
        for of, backs in turns.items():
            last = max(backs)
            if lease := self._lease(f"{of}.{last}"):
                lost = sum(not back for turn, back in backs.items() if turn < last)
                found[lease.key] = msgspec.structs.replace(lease, given_back=backs[last], lost=lost)
        return found

    def _lease(self, name: str) -> Lease | None:
        if name not in self._known and (lease := _read(self._leases / name, Lease)):
            self._known[name] = lease
        return self._known.get(name)

    def others_busy(self) -> bool:
        """Is there anybody else alive who may still take something?"""
        return any(
            not found.idle and not self.is_dead(name)
            for name in self.holders()
            if (found := self.holder_of(name)) is not None
        )

    def dead_among(self, holders: Iterable[str]) -> set[str]:
        """Which of these are gone for good."""
        return {holder for holder in set(holders) if self.is_dead(holder)}

    def is_dead(self, holder: str) -> bool:
        """Is a holder gone for good, with all that it had started?"""
        if holder == self.holder:
            return False
        found = self.holder_of(holder)
        if found is None:
            return True  # it left, or nobody ever beat for it
        now = self._clock()
        if self._seen.get(holder, (-1, now))[0] != found.beat:
            self._seen[holder] = found.beat, now
        silent = now - self._seen[holder][1] >= SILENCE_S
        if found.place != _place() or _started(found.pid) == found.started:
            self._gone.pop(holder, None)
            return silent
        return silent or now - self._gone.setdefault(holder, now) >= GRACE_S

    def holders(self) -> set[str]:
        """All others who take part, or died while they did."""
        names = (n for n in _names(self._holders) if n.endswith(".json") and n[0] != ".")
        return {n.removesuffix(".json") for n in names} - {self.holder}

    def holder_of(self, holder: str) -> Holder | None:
        """What a holder says of itself; None when it left."""
        return _read(self._path_of(holder), Holder)

    def _path_of(self, holder: str) -> Path:
        return self._holders / f"{holder}.json"


def who_is_at(run_dir: Path, sleep: Callable[[float], None] = time.sleep) -> str:
    """One who takes part in a run now; empty when nobody does, as of a run that nobody shares.

    Of holders elsewhere that takes a few beats to see.
    """
    leases = Leases(run_dir, "")
    others = leases.holders()
    before = {name: leases.holder_of(name) for name in others}
    here = {n for n, h in before.items() if h and h.place == _place()}
    if there := others - here:
        sleep(3 * BEAT_S)
    rises = (n for n in there if leases.holder_of(n) not in (None, before[n]))
    lives = (n for n in here if (h := before[n]) and _started(h.pid) == h.started)
    return next(rises, "") or next(lives, "")


@functools.cache
def _place() -> str:
    """Where a process number means the same process."""
    with suppress(OSError):
        return f"{_BOOT.read_text().strip()} {_PROCESSES.readlink()}"
    return socket.gethostname()


def _started(pid: int) -> int | None:
    """When a process started, in ticks since the boot; None where there is none that runs.

    Source: proc_pid_stat(5), fields 3 and 22; the second, a name, may hold blanks and brackets.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"cannot read {folder}: {error.strerror}") from error


def _read(path: Path, kind: type[T]) -> T | None:
    """What a file holds; None where it is gone meanwhile."""
    for last in (False, True):  # what another machine exchanges just now cannot be read once
        try:
            return decode_json(read_bytes(path), kind, path, "a lease or its holder")
        except RecordError:
            if last and path.exists():
                raise
    return None
