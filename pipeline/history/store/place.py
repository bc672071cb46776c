# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where a store lies: a folder, or an address that fsspec knows (`s3://`, `memory://` ...).

Of a place only what every object store can do is asked: list, get whole, put whole, delete. No
file is ever changed; what is fetched from afar is kept beside the other caches and fetched once.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import filelock

from bringup.harness.errors import RecordError
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.decoding import why_not
from bringup.pipeline.errors import HistoryError

LOCK_NAME = ".lock"
LOCK_TIMEOUT_S = 120.0


class GoneError(HistoryError):
    """A file is not there: nobody wrote it, or another process has folded it into another."""


class Place(Protocol):
    """A flat set of named files; names have `/` in them and come from us alone."""

    address: str
    exclusive: bool
    """Does `alone` keep others out?"""

    def __hash__(self) -> int: ...

    def sizes(self) -> dict[str, int]:
        """Every file's name and bytes.

        Raises:
            HistoryError: the place cannot be reached.
        """

    def local(self, name: str) -> Path:
        """A file of this machine with the content.

        Raises:
            GoneError: it is not there.
            HistoryError: it cannot be read.
        """

    def put(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            HistoryError: it cannot be written.
        """

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone already is no error.

        Raises:
            HistoryError: it cannot be deleted.
        """

    def age_s(self, name: str) -> float | None:
        """Seconds since a file was written; None where nobody knows."""

    def alone(self) -> contextlib.AbstractContextManager[object]:
        """Held while files are added and deleted, where a place can keep others out.

        Where it cannot, adding is safe all the same: nothing that counts is ever overwritten.
        """


def place_of(address: str) -> Place:
    """The place that an address names.

    Raises:
        HistoryError: nobody knows such an address, or a package for it is not installed.
    """
    if "\0" in address or not address.strip():
        raise HistoryError(f"{address!r} is no address of a history")
    scheme, separator, rest = address.partition("://")
    if not separator:
        return Folder(Path(address))
    if scheme in ("file", "local"):
        return Folder(Path(rest))
    return Remote(address)


class Folder:
    """A folder of this machine."""

    exclusive = True

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._path = path

    def sizes(self) -> dict[str, int]:
        """See `Place.sizes`."""
        if self._path.exists() and not self._path.is_dir():
            raise HistoryError(f"{self.address} is no folder of a history")
        found: dict[str, int] = {}
        folders = [""]
        while folders:
            inside = folders.pop()
            with contextlib.suppress(FileNotFoundError), os.scandir(self._path / inside) as entries:
                for entry in entries:  # another process may tidy up meanwhile
                    with contextlib.suppress(FileNotFoundError):
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{inside}{entry.name}/")
                        elif entry.is_file() and not entry.name.startswith("."):
                            found[f"{inside}{entry.name}"] = entry.stat().st_size
        return found

    def local(self, name: str) -> Path:
        """See `Place.local`."""
        path = self._path / name
        if not path.is_file():
            raise GoneError(f"{path} is not there")
        return path

    def put(self, name: str, data: bytes) -> None:
        """See `Place.put`."""
        try:
            write_atomically(self._path / name, data)
        except RecordError as error:
            raise HistoryError(str(error)) from error

    def delete(self, name: str) -> None:
        """See `Place.delete`."""
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise HistoryError(f"cannot delete {self._path / name}: {error.strerror}") from error

    def age_s(self, name: str) -> float | None:
        """See `Place.age_s`."""
        with contextlib.suppress(OSError):
            return max(time.time() - (self._path / name).stat().st_mtime, 0.0)
        return None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """See `Place.alone`."""
        lock = self._path / LOCK_NAME
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(lock, timeout=LOCK_TIMEOUT_S):
                yield
        except filelock.Timeout as error:
            raise HistoryError(
                f"another process has held {lock} for {LOCK_TIMEOUT_S:.0f} s"
            ) from error
        except OSError as error:
            raise HistoryError(f"cannot write {lock}: {error.strerror}") from error


class Remote:
    """An address of another machine, or of this process's memory, by fsspec."""

    exclusive = False

    def __init__(self, address: str) -> None:
        """Who we are comes from the environment, as the service's own tools take it."""
        import fsspec

        scheme, _, rest = address.partition("://")
        login, at, _ = rest.partition("/")[0].rpartition("@")
        self._login = login + at
        """Never said."""
        self.address = f"{scheme}://{rest.removeprefix(self._login)}".rstrip("/")
        try:
            self._fs, base = fsspec.core.url_to_fs(address, skip_instance_cache=True)
        except ImportError as error:
            raise HistoryError(
                f"{self.address} needs a package that is not installed ({error}); "
                "pip install 'bringup[files]' brings what s3:// needs"
            ) from error
        except ValueError as error:
            said = str(error).replace(self._login, "") if self._login else str(error)
            raise HistoryError(f"{self.address} is no address of a history: {said}") from error
        self._base = base.rstrip("/")
        digest = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        self._cache = Path.home() / ".cache" / "bringup" / "history" / digest

    def sizes(self) -> dict[str, int]:
        """See `Place.sizes`."""
        with self._faults_named(self.address):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self._base, detail=True)
            except FileNotFoundError:
                return {}
        prefix = self._fs._strip_protocol(self._base).rstrip("/") + "/"
        return {
            path.removeprefix(prefix): int(info.get("size") or 0)
            for path, info in found.items()
            if path.startswith(prefix)
        }

    def local(self, name: str) -> Path:
        """See `Place.local`."""
        path = self._cache / name
        if not path.is_file():
            with self._faults_named(f"{self.address}/{name}"):
                data = self._fs.cat_file(f"{self._base}/{name}")
            write_atomically(path, data, sync=False)
        return path

    def put(self, name: str, data: bytes) -> None:
        """See `Place.put`."""
        with self._faults_named(f"{self.address}/{name}"):
            self._fs.makedirs(f"{self._base}/{name}".rpartition("/")[0], exist_ok=True)
            self._fs.pipe_file(f"{self._base}/{name}", data)
            self._fs.invalidate_cache()
        (self._cache / name).unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """See `Place.delete`."""
        with self._faults_named(f"{self.address}/{name}"), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(f"{self._base}/{name}")
        (self._cache / name).unlink(missing_ok=True)

    def age_s(self, name: str) -> float | None:
        """See `Place.age_s`."""
        try:
            written = self._fs.modified(f"{self._base}/{name}")
            return max(time.time() - float(written.timestamp()), 0.0)
        except Exception:  # services that do not know, or have no such file by now
            return None

    def alone(self) -> contextlib.AbstractContextManager[object]:
        """See `Place.alone`; an object store keeps nobody out."""
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def _faults_named(self, what: str) -> Iterator[None]:
        try:
            yield
        except HistoryError:
            raise
        except FileNotFoundError as error:
            raise GoneError(f"{what} is not there") from error
        except Exception as error:  # each service has errors of its own
            said = why_not(error).replace(self._login, "") if self._login else why_not(error)
            raise HistoryError(f"{what}: {type(error).__name__}: {said}") from error
