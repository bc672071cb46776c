# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""One file, downloaded: whole or not at all, by one process for all, from where the last one broke.

What has come lies in a partial file beside its target, which whoever downloads it holds locked
(flock(2)); the lock ends with its holder, and the next one goes on. Nothing else is locked: a
process that waited finds, by the name of the partial file, whether it still waits for the right
one, for at the end it is renamed to its target. Beside it a note says which version of the file
it is the beginning of; without one, or after the machine was restarted (what was not synced may
then be anything), it is begun anew.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bringup.harness.errors import FileError, RecordError
from bringup.harness.files.progress import Progress, amount
from bringup.harness.files.source import Answer, BrokenError, Source
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.ownership import open_plain, refers_to

PART_PREFIX = ".bringup-part-"
_PART_WAIT_S = 1800.0
"""Seconds without a byte after which the process that downloads is taken for stuck."""
_SLOWEST = 1024
"""Bytes a second below which a server stalls, although it sends."""
_MIB = 1 << 20
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class UnwritableError(Exception):
    """Nothing can be put where the file was to go."""


@dataclass(frozen=True)
class Terms:
    """What is asked of a download."""

    sha256: str = ""
    """In hexadecimal; empty for any content."""
    limit: int = 100 << 30
    """Bytes."""
    timeout_s: float = 30.0
    """Seconds without a byte, or at a trickle, until a try is given up."""
    tries: int = 4
    """Without any progress."""
    pause_s: float = 0.5
    """Before the second try; twice as long before each further one."""


class Begun(msgspec.Struct, frozen=True):
    """Of which file a partial one is the beginning."""

    address: str
    validator: str
    size: int | None
    boot: str


def download(source: Source, target: Path, terms: Terms) -> Path:
    """Have the file at `target`, unless it is there already; returns `target`.

    Raises:
        AbsentError, IsFolderError: see there.
        FileError: it cannot be had; the message says why.
        UnwritableError: the folder cannot be written.
    """
    part = target.with_name(PART_PREFIX + hashlib.sha256(target.name.encode()).hexdigest()[:24])
    note = part.with_name(part.name + ".json")
    while not is_good(target, terms.sha256):
        descriptor = _open_part(part, target)
        try:
            with Progress(target.name) as progress:
                _lock(descriptor, part, progress)
                if refers_to(part, descriptor) and not is_good(target, terms.sha256):
                    _Download(source, descriptor, part, note, terms, progress).run()
                    _put_in_place(descriptor, part, note, target)
                elif refers_to(part, descriptor):  # it was made just after the file had come
                    part.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return target


def is_good(path: Path, sha256: str) -> bool:
    """Is there a file, with this content if any is asked for?"""
    try:
        # not waiting for the other end of a pipe
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            return not sha256 or hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _open_part(part: Path, target: Path) -> int:
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        return open_plain(part, os.O_RDWR | os.O_CREAT, 0o644)
    except RecordError as error:
        raise FileError(str(error)) from error
    except OSError as error:
        if error.errno in _UNWRITABLE:
            raise UnwritableError(f"{part.parent} cannot be written") from error
        raise FileError(f"cannot write {target}: {error.strerror}") from error


def _lock(descriptor: int, part: Path, progress: Progress) -> None:
    """Wait for whoever downloads the file now, as long as it gets on with it."""
    seen, since, pause = (-1, -1), time.monotonic(), 0.01
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        found = os.fstat(descriptor)
        if (found.st_size, found.st_mtime_ns) != seen:
            seen, since = (found.st_size, found.st_mtime_ns), time.monotonic()
        elif time.monotonic() - since > _PART_WAIT_S:
            raise FileError(
                f"another process has held {part} for {_PART_WAIT_S:g} s without a byte; end it"
            )
        progress.show(found.st_size, None, "another process downloads")
        time.sleep(pause)
        pause = min(2 * pause, 0.25)


def _put_in_place(descriptor: int, part: Path, note: Path, target: Path) -> None:
    """First on disk, then under its name: a power cut leaves it whole or not there."""
    try:
        os.fsync(descriptor)
        os.fchmod(descriptor, 0o644)
        note.unlink(missing_ok=True)
        part.replace(target)
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror}") from error
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Download:
    """Fills a partial file that is locked."""

    def __init__(
        self,
        source: Source,
        descriptor: int,
        part: Path,
        note: Path,
        terms: Terms,
        progress: Progress,
    ) -> None:
        self._source = source
        self._descriptor = descriptor
        self._part = part
        self._note = note
        self._terms = terms
        self._progress = progress
        self._resumed = False

    def run(self) -> None:
        """Until it is whole.

        Raises:
            FileError: it cannot be; what is of no further use is removed.
        """
        try:
            digest = self._fill()
            if self._resumed and not self._matches(digest):  # two halves of two files, then
                self._forget()
                digest = self._fill()
            self._check(digest)
        except OSError as error:
            self._remove()
            raise FileError(f"cannot write {self._part.parent}: {error.strerror}") from error
        except FileError:
            if not self._known():
                self._remove()
            raise

    def _fill(self) -> str:
        """Try until it is whole; the digest that the server gives of it, if any."""
        failures = tried = most = 0
        while True:
            tried += 1
            try:
                return self._try()
            except BrokenError as error:
                size = os.fstat(self._descriptor).st_size
                failures = 1 if size > most else failures + 1
                most = max(size, most)
                # one that breaks after every few bytes is not followed to the end of its days
                if failures >= self._terms.tries or tried > 50 + most // _MIB:
                    raise FileError(f"{error}; tried {tried} times") from error
                pause = self._terms.pause_s * 2.0 ** (failures - 1)
                time.sleep(max(pause, error.wait_s))

    def _try(self) -> str:
        begun = self._known()
        offset = os.fstat(self._descriptor).st_size if begun else 0
        if begun and offset == begun.size:  # its last holder died before it had a name
            self._resumed = True
            return ""
        with self._source.open(offset, begun.validator if begun else "") as answer:
            if answer.start not in (0, offset):
                raise BrokenError(f"{self._source.address} sends another part than was asked for")
            self._refuse_large(answer)
            if begun and answer.start and answer.size != (begun.size or answer.size):
                self._forget()  # of whatever version that is, it is not the rest of this one
                raise BrokenError(
                    f"{self._source.address} has {answer.size} B now, and had {begun.size} before"
                )
            self._resumed = answer.start > 0
            os.ftruncate(self._descriptor, answer.start)
            os.lseek(self._descriptor, answer.start, os.SEEK_SET)
            if not self._resumed:
                self._begin(answer)
            if not answer.ends_visibly and not self._terms.sha256:
                print(
                    f"{self._source.address}: the server does not say how long the file is, so "
                    "that a cut one looks whole; give get_file its sha256 to be sure",
                    file=sys.stderr,
                )
            self._take(answer)
            return answer.sha256

    def _known(self) -> Begun | None:
        """What the partial file is the beginning of, if it can be gone on with."""
        try:
            begun = msgspec.json.decode(self._note.read_bytes(), type=Begun)
        except (OSError, msgspec.DecodeError):
            return None
        size = os.fstat(self._descriptor).st_size
        usable = (
            begun.address == self._source.address
            and begun.validator
            and begun.boot == _boot()
            and (begun.size is None or size <= begun.size)
        )
        return begun if usable else None

    def _begin(self, answer: Answer) -> None:
        self._note.unlink(missing_ok=True)
        if answer.validator:
            begun = Begun(self._source.address, answer.validator, answer.size, _boot())
            with contextlib.suppress(RecordError):  # without it, it just cannot be resumed
                write_atomically(self._note, msgspec.json.encode(begun), sync=False)

    def _take(self, answer: Answer) -> None:
        received, since, then = answer.start, time.monotonic(), answer.start
        for chunk in answer.chunks:
            received += len(chunk)
            if received > self._terms.limit:
                self._refuse(received)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            self._progress.show(received, answer.size)
            if (passed := time.monotonic() - since) >= self._terms.timeout_s:
                if received - then < _SLOWEST * passed:
                    raise BrokenError(
                        f"{self._source.address} sent {received - then} B in {passed:.0f} s"
                    )
                since, then = time.monotonic(), received
        if answer.size is not None and received != answer.size:
            raise BrokenError(f"{self._source.address} ended after {received} of {answer.size} B")

    def _refuse_large(self, answer: Answer) -> None:
        if answer.size is None:
            return
        if answer.size > self._terms.limit:
            self._refuse(answer.size)
        free = shutil.disk_usage(self._part.parent).free
        if answer.size - answer.start > free:
            self._remove()
            raise FileError(
                f"{self._source.address} has {amount(answer.size)}, and {self._part.parent} "
                f"{amount(free)} of room"
            )

    def _refuse(self, size: int) -> None:
        self._remove()
        raise FileError(
            f"{self._source.address} has {amount(size)} or more, over the limit of "
            f"{amount(self._terms.limit)}; see BRINGUP_FILE_LIMIT_GIB"
        )

    def _matches(self, server_digest: str) -> bool:
        wanted = self._terms.sha256 or server_digest
        return not wanted or self._sha256() == wanted

    def _check(self, server_digest: str) -> None:
        if self._matches(server_digest):
            return
        said = "was asked for" if self._terms.sha256 else "the server says"
        found, wanted = self._sha256(), self._terms.sha256 or server_digest
        self._remove()
        raise FileError(
            f"{self._source.address} has sha256 {found}, and {wanted} {said}; it is not kept"
        )

    def _sha256(self) -> str:
        with open(os.dup(self._descriptor), "rb") as file:  # noqa: PTH123 - a descriptor
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _forget(self) -> None:
        self._note.unlink(missing_ok=True)
        os.ftruncate(self._descriptor, 0)
        self._resumed = False

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)  # first: without the other it is a new holder's
            self._part.unlink(missing_ok=True)


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:  # no Linux: never the same
        return secrets.token_hex(8)
