# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a test may ask for, and where on this machine it may lie.

The places and their order are the seed page's. A cache holds a file under the very path it has in
the bucket; what came from an http(s) address lies in `url_cache`, under its name and a digest of
the address.
"""

import hashlib
import os
import re
import stat
import urllib.parse
from dataclasses import dataclass
from pathlib import Path, PurePath

from bringup.harness.errors import FileError, UsageError
from bringup.harness.files.download import PART_PREFIX
from bringup.harness.records.variable_names import (
    DOCKER_FOLDER_VARIABLE,
    DOCKER_ROOT_VARIABLE,
    LOCAL_FILES_VARIABLE,
)

WHOLE_PREFIX = ".bringup-whole-"
"""Before the name of the empty file that says that a folder came to its end."""
_BUCKET = Path("models") / "tt-ci-models-private"
"""Where tt-forge-models expects the bucket below `DOCKER_CACHE_ROOT`."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_S3_HOST = re.compile(r"(.+\.)?s3[.-](.+\.)?amazonaws\.com(\.cn)?")
_NO_S3 = (
    "the bucket is reached only by the mirror at IRD_LF_CACHE or the caches that follow it: "
    "give the file's path in the bucket"
)
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Asked:
    """What `get_file` was asked for, found sound."""

    name: str
    """As it was given, without what may be secret."""
    parts: tuple[str, ...]
    """Where it lies below a cache."""
    url: str = ""
    """Its http(s) address, if it was one."""


@dataclass(frozen=True)
class Cache:
    """A folder of files."""

    title: str
    """What names it: a variable, or `local cache`."""
    root: Path


def read_path(path: str | PurePath) -> Asked:
    """What a path or address asks for.

    Raises:
        UsageError: it leads out of the cache, names no file, or is of a kind that is not served.
    """
    if not isinstance(path, str | PurePath):
        raise UsageError(f"{path!r:.80} is neither text nor a path")
    text = os.fspath(path)
    shown = repr(text[:200])
    _refuse_unprintable(text, shown)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Asked(text, _parts(text, shown))
    kind = scheme[1].lower()
    if kind.startswith("s3"):
        raise UsageError(f"{shown} is an S3 address: {_NO_S3}")
    if kind not in ("http", "https") or not text.startswith("//", len(kind) + 1):
        raise UsageError(f"{shown} is neither a path in the bucket nor an http(s) address")
    return _read_url(text, shown)


def _read_url(text: str, shown: str) -> Asked:
    try:
        parts = urllib.parse.urlsplit(text)
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise UsageError(f"{shown} is no http(s) address: {error}") from error
    if _S3_HOST.fullmatch(host):
        raise UsageError(f"{host} is an S3 address: {_NO_S3}")
    digest = hashlib.sha256(text.partition("#")[0].encode()).hexdigest()[:16]
    last = urllib.parse.unquote(parts.path.rpartition("/")[2])
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", last)[-80:]
    place = parts.netloc.rpartition("@")[2]
    named = urllib.parse.urlunsplit((parts.scheme, place, parts.path, "", ""))
    return Asked(named, ("url_cache", f"{digest}-{safe}"), text)


def _refuse_unprintable(text: str, shown: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{shown} is no text that UTF-8 can encode") from error
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise UsageError(f"{shown} has a control character in it")


def _parts(text: str, shown: str) -> tuple[str, ...]:
    if text.startswith("/"):
        raise UsageError(
            f"{shown} is absolute; get_file takes a path relative to the bucket or to the local "
            "cache, and a file elsewhere needs no get_file"
        )
    parts = tuple(p for p in text.split("/") if p not in ("", "."))
    if not parts:
        raise UsageError(f"{shown} names no file")
    for part in parts:
        if part == "..":
            raise UsageError(f"{shown} leads out of the cache by '..'")
        if part.startswith((PART_PREFIX, WHOLE_PREFIX)):
            raise UsageError(f"{shown} is a name that get_file keeps for itself")
        if len(part.encode()) > _LONGEST_NAME:
            raise UsageError(f"{shown} has a name of more than {_LONGEST_NAME} bytes")
    return parts


def whole_mark(folder: Path) -> Path:
    """The file beside a folder that says that all of it is there."""
    digest = hashlib.sha256(folder.name.encode()).hexdigest()[:24]
    return folder.with_name(f"{WHOLE_PREFIX}{digest}")


def docker_caches() -> list[Cache]:
    """The caches that CI mounts, which are read and never written."""
    found = []
    if folder := os.environ.get(DOCKER_FOLDER_VARIABLE):
        found.append(Cache(DOCKER_FOLDER_VARIABLE, _folder(folder)))
    if root := os.environ.get(DOCKER_ROOT_VARIABLE):
        found += [
            Cache(DOCKER_ROOT_VARIABLE, _folder(root) / _BUCKET),
            Cache(DOCKER_ROOT_VARIABLE, _folder(root)),
        ]
    return found


def local_caches() -> list[Cache]:
    """The local cache; behind one that the user named, which may be read-only, the usual one.

    Raises:
        UsageError: the user has no home and named no cache.
    """
    named = os.environ.get(LOCAL_FILES_VARIABLE)
    found = [Cache(LOCAL_FILES_VARIABLE, _folder(named))] if named else []
    try:
        found.append(Cache("local cache", Path.home() / ".cache" / "lfcache"))
    except RuntimeError as error:
        if not named:
            raise UsageError(
                f"there is no home directory for files; set {LOCAL_FILES_VARIABLE}"
            ) from error
    return found


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # ~nobody
        return Path(text).absolute()


def look(cache: Cache, parts: tuple[str, ...]) -> Path | None:
    """The file or folder at a place of a cache; None when nothing is there.

    A link on the way is followed when whoever made it could as well have put there what it leads
    to: the cache's owner, this user, root.

    Raises:
        FileError: what is there cannot be used.
    """
    path = cache.root
    try:
        owners = {0, os.geteuid(), path.stat().st_uid}
        for part in parts:
            path = path / part
            found = path.lstat()
            if stat.S_ISLNK(found.st_mode) and found.st_uid not in owners:
                raise FileError(f"{path} is another user's link, which is not followed")
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise FileError(f"{path} is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise FileError(f"{path} may not be read")
    return path
