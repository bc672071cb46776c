# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The content of large files by digest, computed once: a plugin of half a gigabyte takes a second.

What was computed is kept in memory and beside the verdict cache, under the file's path, size,
inode and time of change; a file for which any of them differs is read again. The kernel sets the
time of change (`st_ctime_ns`), so that a tool which restores a file's own time fools nobody.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from bringup.harness.errors import RecordError
from bringup.harness.records.verdicts.cache import default_path
from bringup.harness.storage.atomic import write_atomically

_Stamp = tuple[int, int, int, int]


class _Known(msgspec.Struct, frozen=True, array_like=True):
    stamp: _Stamp
    """Size, inode, time of modification, time of change: bytes and nanoseconds."""
    sha256: str


_known: dict[str, _Known] = {}


def digest_of(path: Path) -> str:
    """The sha256 of a file's content, in hex; empty where there is no such file."""
    try:
        real = path.resolve(strict=True)
        stamp = _stamp(real)
        known = _known.get(str(real)) or _kept().get(str(real))
        if known is None or known.stamp != stamp:
            with real.open("rb") as file:
                known = _Known(stamp, hashlib.file_digest(file, "sha256").hexdigest())
            if _stamp(real) == stamp:  # else it is being written
                _keep(str(real), known)
        _known[str(real)] = known
    except OSError:
        return ""
    return known.sha256


def digest_of_code(folder: Path) -> str:
    """A digest of the content of all Python sources and shared libraries below a folder.

    Empty where there is no such folder, or a file cannot be read. Names and stamps of all of them
    stand for their content as a single file's does: a tenth of a second for PyTorch's 2,300.
    """
    try:
        real = folder.resolve(strict=True)
        files = _code_below(real)
        stamp = _stamp_of_all(real, files)
        name = f"{real}/"
        known = _known.get(name) or _kept().get(name)
        if known is None or known.stamp != stamp:
            whole = hashlib.sha256()
            for path in files:
                whole.update(f"{path.relative_to(real)} ".encode())
                with path.open("rb") as file:
                    whole.update(hashlib.file_digest(file, "sha256").digest())
            known = _Known(stamp, whole.hexdigest())
            if _stamp_of_all(real, _code_below(real)) == stamp:
                _keep(name, known)
        _known[name] = known
    except OSError:
        return ""
    return known.sha256


def digest_of_sources(folder: Path) -> str:
    """As `digest_of_code`, of what can be imported and has a source, without shared libraries.

    Folders are left out that hide, and that hold an environment, what is installed or what runs
    leave. Empty too where there are too many to look through.
    """
    try:
        real = folder.resolve(strict=True)
        files = _sources_below(str(real))
        name, cut = f"{real}/{_ALL_SOURCES}", len(str(real)) + 1
        whole = hashlib.sha256(name.encode())
        for path, stamp in files:
            whole.update(f"{path[cut:]} {stamp}\n".encode())
        stamp = _four_numbers(whole.digest())
        known = _known.get(name) or _kept().get(name)
        if known is None or known.stamp != stamp:
            content = hashlib.sha256()
            for path, _ in files:
                content.update(f"{path[cut:]} ".encode())
                with Path(path).open("rb") as file:
                    content.update(hashlib.file_digest(file, "sha256").digest())
            known = _Known(stamp, content.hexdigest())
            if _sources_below(str(real)) == files:
                _keep(name, known)
        _known[name] = known
    except OSError:
        return ""
    return known.sha256


_ALL_SOURCES = "*.py"
"""What a folder's sources are kept under, below its path."""
_MOST_ENTRIES = 500_000
"""Of folders below one, above which that is no checkout: a home, or the root of a machine."""
_NOT_SOURCES = frozenset({"__pycache__", "node_modules", "results", "site-packages"})


def _sources_below(folder: str) -> list[tuple[str, _Stamp]]:
    """Paths and stamps, sorted; a link to a folder is not followed.

    Raises:
        OSError: a folder cannot be read, or there are too many entries.
    """
    found: list[tuple[str, _Stamp]] = []
    waiting, seen = [folder], 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    hidden = entry.name.startswith(".") or entry.name in _NOT_SOURCES
                    if not hidden and not os.path.exists(f"{entry.path}/pyvenv.cfg"):  # noqa: PTH110
                        waiting.append(entry.path)
                elif entry.name.endswith(".py"):
                    with contextlib.suppress(FileNotFoundError):  # a link to nothing
                        found.append((entry.path, _stamp_in(entry.stat())))
        if seen > _MOST_ENTRIES:
            raise OSError(f"more than {_MOST_ENTRIES} entries below {folder}")
    return sorted(found)


def _code_below(folder: Path) -> list[Path]:
    found = (Path(where, name) for where, _, names in os.walk(folder) for name in names)
    return sorted(p for p in found if p.suffix == ".py" or ".so" in p.suffixes)


def _stamp_of_all(folder: Path, files: list[Path]) -> _Stamp:
    """Names and stamps of many files, as a digest in four numbers of 62 bits."""
    whole = hashlib.sha256()
    for path in files:
        whole.update(f"{path.relative_to(folder)} {_stamp(path)}\n".encode())
    return _four_numbers(whole.digest())


def _four_numbers(digest: bytes) -> _Stamp:
    parts = (int.from_bytes(digest[at : at + 8]) >> 2 for at in range(0, 32, 8))
    return tuple(parts)  # type: ignore[return-value]


def _stamp(path: Path) -> _Stamp:
    return _stamp_in(path.stat())


def _stamp_in(found: os.stat_result) -> _Stamp:
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _file() -> Path:
    cache = default_path()
    return cache.with_name(f"{cache.name}.libraries")


def _kept() -> dict[str, _Known]:
    """What other processes found out; nothing where that cannot be read."""
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, _Known])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _keep(path: str, known: _Known) -> None:
    """Add to what is kept. Of two processes at it at once one may be lost, which costs a second."""
    still = {name: each for name, each in _kept().items() if _is_there(name)}
    with contextlib.suppress(RecordError, OSError):
        write_atomically(_file(), msgspec.json.encode(still | {path: known}), sync=False)


def _is_there(name: str) -> bool:
    """Is the file, or the folder, that a digest is kept of?"""
    return os.path.exists(name.removesuffix(_ALL_SOURCES))  # noqa: PTH110
