# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Files and folders in places where other users of the machine can put theirs.

In a shared temporary folder a name that anybody can guess may be taken already: by a link to a
file of ours, by a pipe that never answers, by a folder whose owner can exchange what we put in.
So nothing is opened there by name alone: links are not followed, and what was opened is looked
at, through its descriptor, before it is used.
"""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from bringup.harness.errors import RecordError, StorageError

_ROOT = 0


def open_plain(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a regular file that has this one name, and neither follow a link nor wait for a pipe.

    Raises:
        RecordError: something else goes by that name.
        OSError: as os.open.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError as error:
        if path.is_symlink():
            raise RecordError(f"{path} is a link, which is not followed; remove it") from error
        raise
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    what = "has several names" if stat.S_ISREG(found.st_mode) else "is no regular file"
    raise RecordError(f"{path} {what}, and is not used; remove it")


def refers_to(path: Path, descriptor: int) -> bool:
    """Is the open file still the one that goes by this name?"""
    try:
        named = os.lstat(path)
    except OSError:
        return False
    return os.path.samestat(named, os.fstat(descriptor))


def is_trusted(folder: Path) -> bool:
    """Is it a folder (no link to one) of this user's or of root's that nobody else can write?"""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid in (_ROOT, os.geteuid())
        and not _others_write(found)
    )


def private_folder(shared: Path | None = None) -> Path:
    """This user's own folder, mode 0700, in a temporary folder that others write, too.

    It is `bringup-UID` in `shared` (default: the temporary folder). Where another user has taken
    that name or could exchange the folder, it lies in the home directory instead.

    Raises:
        StorageError: there is no place for one; the message says why.
    """
    places = [(shared or Path(tempfile.gettempdir())) / f"bringup-{os.geteuid()}"]
    with contextlib.suppress(RuntimeError):  # a user without a home
        places.append(Path.home() / ".cache" / "bringup" / "tmp")
    refusals = []
    for folder in places:
        refusal = _make_private(folder)
        if not refusal:
            return folder
        refusals.append(refusal)
    raise StorageError(f"no private temporary folder can be had: {'; '.join(refusals)}")


def _make_private(folder: Path) -> str:
    """Have a folder of ours that only we enter; an empty text, or why it cannot be had."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if _others_exchange(folder.parent.stat()):
            return f"others can exchange what is in {folder.parent}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            return f"{folder} belongs to another user (uid {found.st_uid})"
        if stat.S_IMODE(found.st_mode) != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)
    return ""


def _others_exchange(parent: os.stat_result) -> bool:
    """Can another user than root rename or remove our folder in this one?"""
    sticky = parent.st_mode & stat.S_ISVTX  # each may remove only what is theirs
    return parent.st_uid not in (_ROOT, os.geteuid()) or (_others_write(parent) and not sticky)


def _others_write(found: os.stat_result) -> bool:
    """May others write it? A group of one user's own, by custom of the same number, is no other."""
    group = 0 if found.st_gid == found.st_uid else stat.S_IWGRP
    return bool(found.st_mode & (stat.S_IWOTH | group))
