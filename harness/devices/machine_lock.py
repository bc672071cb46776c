# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A lock that all users of a machine share, which none of them can turn against another.

flock(2) asks for no more than an open file, so that a file one user owns can be locked by all.
Best is one that nobody but root can exchange: the folder of the device's nodes, `/dev/NAME`.
Otherwise it is an empty file of mode 0644 in a sticky folder of root's, at a fixed place: `TMPDIR`
may be another for each user, and two users would each hold a lock of their own.
"""

import contextlib
import enum
import errno
import fcntl
import os
import pwd
import stat
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from bringup.harness.errors import DeviceError, RecordError
from bringup.harness.storage.ownership import is_trusted, open_plain, private_folder, refers_to

FOLDERS = (Path("/run/lock"), Path("/tmp"))
NODES = Path("/dev")
_TRIES = 20


class Wait(enum.Enum):
    """How a lock is asked for."""

    LONG = fcntl.LOCK_EX
    """Until whoever holds it is done or dead."""
    NOT = fcntl.LOCK_EX | fcntl.LOCK_NB
    """Not at all: another's is another's."""


@contextlib.contextmanager
def machine_lock(name: str, wait: Wait = Wait.LONG) -> Iterator[bool]:
    """Hold the lock called `name`; False: another holds it, and nobody waited.

    Raises:
        DeviceError: another user keeps everybody from taking it; the message says how.
    """
    descriptor = _locked(name, wait.value)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextlib.contextmanager
def wanting(name: str) -> Iterator[None]:
    """Have whoever holds the lock called `name` know that it is waited for; any number may."""
    descriptor = _locked(_wish(name), fcntl.LOCK_SH)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_wanted(name: str) -> bool:
    """Does anybody wait for the lock called `name`?"""
    with machine_lock(_wish(name), Wait.NOT) as nobody_wants:
        return not nobody_wants


def _wish(name: str) -> str:
    return f"{name}.wanted"


def _locked(name: str, how: int) -> int | None:
    while True:
        path, descriptor = _open(name)
        try:
            fcntl.flock(descriptor, how)
            if refers_to(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # taken away while we waited: whoever comes next opens another file


def _open(name: str) -> tuple[Path, int]:
    nodes = NODES / name
    file_name = f"bringup-lease-{urllib.parse.quote(name, safe='')}.lock"
    try:
        if "/" not in name and is_trusted(nodes) and nodes.stat().st_uid == 0:
            return nodes, os.open(nodes, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        for folder in FOLDERS:
            if _serves_all(folder):
                with contextlib.suppress(_UnwritableError):
                    return folder / file_name, _open_or_make(folder / file_name)
        own = private_folder() / file_name  # no place for all; this user's processes take turns
        return own, _open_or_make(own)
    except (OSError, RecordError) as error:
        raise DeviceError(f"the device {name} cannot be leased: {error}") from error


class _UnwritableError(Exception):
    """Nobody can make a file in a folder."""


def _serves_all(folder: Path) -> bool:
    """Is it root's, and can everybody make files in it but remove only their own?"""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    needed = stat.S_IFDIR | stat.S_ISVTX | 0o777
    return found.st_uid == 0 and found.st_mode & needed == needed


def _open_or_make(path: Path) -> int:
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            return open_plain(path, os.O_RDONLY)
        # never O_CREAT alone: the kernel refuses that on another's file (fs.protected_regular)
        with contextlib.suppress(FileExistsError):
            return _make(path)
        time.sleep(0.01)  # whoever is making it has not set its mode yet
    raise DeviceError(
        f"the lock {path} cannot be opened: it belongs to {_owner(path)}, who lets nobody "
        "else read it; have it removed"
    )


def _make(path: Path) -> int:
    try:
        descriptor = open_plain(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise _UnwritableError from error
        raise
    os.fchmod(descriptor, 0o644)  # whatever the umask
    return descriptor


def _owner(path: Path) -> str:
    uid = path.lstat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
