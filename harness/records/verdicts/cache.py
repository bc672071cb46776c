# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The verdict cache: an op that was judged once is not compiled again, in any model or night.

One SQLite database in WAL mode, shared by all processes of a machine, with the
artifacts its verdicts refer to beside it. SQLite makes a write whole or absent, whenever its
process dies; every row carries a digest over key and verdict besides, so a damaged row is a miss
and never a wrong verdict. Whatever happens to the file, a run goes on: with what can be read of a
cache that cannot be written, and at worst without one.

Version history
    1   first version
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import zstandard
from filelock import FileLock

from bringup.harness.errors import RecordError
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.schema import Artifact, OpVerdict
from bringup.harness.records.variable_names import CACHE_VARIABLE
from bringup.harness.records.verdicts.rules import cacheable
from bringup.harness.records.verdicts.sqlite_errors import is_busy, is_corrupt, is_forbidden
from bringup.harness.storage.decoding import decode_json
from bringup.harness.storage.presence import is_folder, is_there
from bringup.harness.storage.writable import encoded

CACHE_SCHEMA = 1
FILE_NAME = "verdicts.sqlite"
DAY = 86400.0
_BUSY_S = 30.0
_ORPHAN_AGE_S = 600.0  # a younger text may belong to a verdict that is just being written

_TABLE = """
CREATE TABLE IF NOT EXISTS verdict (
    key TEXT PRIMARY KEY,     -- Basis.key()
    body BLOB NOT NULL,       -- OpVerdict as JSON
    digest BLOB NOT NULL,     -- sha256 over key and body
    used REAL NOT NULL        -- seconds since the epoch, to within a day
) WITHOUT ROWID"""
_UNREADABLE = (OSError, RecordError, zstandard.ZstdError)
_PUT = "INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?)"
_USED = "UPDATE verdict SET used = ? WHERE key = ?"
_Result = TypeVar("_Result")


def default_path() -> Path:
    """The database in $BRINGUP_CACHE, a directory or a file, or in `~/.cache/bringup`.

    What is not there yet will be a directory, unless its name has a suffix.
    """
    path = Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "bringup")
    holds_it = is_folder(path) or not (path.suffix or is_there(path))
    return path / FILE_NAME if holds_it else path


class Pruned(msgspec.Struct, frozen=True):
    """What a pruning left and took."""

    kept: int
    removed: int
    bytes_kept: int
    """Verdicts and compressed texts; the database file may be a little larger."""


def _complain(sentence: str) -> None:
    print(sentence, file=sys.stderr)


class VerdictCache:
    """Verdicts by key, which `harness/op_by_op/cache_key.py` makes.

    No method raises: a cache that cannot be had is always a miss.

    What is wrong with it is handed to `complain`, a sentence each, once. One object serves the
    threads of a process, and a process forked from it.
    """

    def __init__(
        self, path: Path | None = None, complain: Callable[[str], None] = _complain
    ) -> None:
        self.path = path or default_path()
        self.artifacts = ArtifactStore(self.path.parent)
        self._complain = complain
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._off = False
        self._reads_only = False

    def get(self, key: str) -> OpVerdict | None:
        """The verdict kept under a key, or None."""
        row = self._do(
            lambda db: db.execute(
                "SELECT body, digest, used FROM verdict WHERE key = ?", (key,)
            ).fetchone()
        )
        if row is None:
            return None
        verdict = _decode(key, row[0], row[1])
        now = time.time()
        if verdict is not None and not (isinstance(row[2], float) and abs(now - row[2]) <= DAY):
            self._write(lambda db: db.execute(_USED, (now, key)))
        return verdict

    def put(self, key: str, verdict: OpVerdict, texts: ArtifactStore | None = None) -> bool:
        """Keep a verdict, with its texts out of `texts`; False when it was not kept.

        A verdict that the machine may have caused (`worth_keeping`) never is.
        """
        try:
            if not worth_keeping(verdict, texts):
                return False
            if texts and not all(_link(a, texts, self.artifacts) for a in _artifacts(verdict)):
                return False
        except _UNREADABLE:
            return False
        body = encoded(verdict)
        row = (key, body, _digest(key, body), time.time())
        return self._write(lambda db: db.execute(_PUT, row)) is not None

    def replace(self, key: str, verdict: OpVerdict, texts: ArtifactStore | None = None) -> None:
        """Put a verdict in the place of one that does not hold; at least forget that one."""
        if not self.put(key, verdict, texts):
            self._write(lambda db: db.execute("DELETE FROM verdict WHERE key = ?", (key,)))

    def restore(self, verdict: OpVerdict, artifacts: ArtifactStore) -> bool:
        """Put a hit's texts into a run's store; False (take it as a miss) when one is gone."""
        try:
            for artifact in _artifacts(verdict):
                if artifact.sha256 not in artifacts.linked:  # models have the same ops
                    if not _link(artifact, self.artifacts, artifacts):
                        return False
                    artifacts.linked.add(artifact.sha256)
        except _UNREADABLE:
            return False
        return True

    def prune(self, max_age_s: float, max_bytes: int) -> Pruned:
        """Forget what was not used for `max_age_s`, then the least recently used above a size.

        Other processes may use the cache meanwhile: what they take or put in is not taken away.
        """
        kept, removed, total = 0, [], 0
        texts: set[Path] = set()
        now = time.time()
        for key, verdict, size, used in self._rows():
            own = {self.artifacts.path(a.sha256) for a in _artifacts(verdict)} if verdict else set()
            new = size + sum(_size(path) for path in own - texts)
            if (
                verdict is None
                or not isinstance(used, float)
                or now - used > max_age_s
                or total + new > max_bytes
            ):
                removed.append((key, used))
                continue
            kept, total = kept + 1, total + new
            texts |= own  # in place: a copy for each of a fleet's 45,000 verdicts took two minutes
        sql = "DELETE FROM verdict WHERE key = ? AND used = ?"  # not one written meanwhile
        if self._write(lambda db: db.executemany(sql, removed)) is None:
            return Pruned(kept + len(removed), 0, total)
        for path in self.artifacts.root.glob("*/*"):
            if path not in texts:
                with contextlib.suppress(OSError):
                    if now - path.stat().st_mtime > _ORPHAN_AGE_S:
                        path.unlink()
        self._write(_give_room_back)
        return Pruned(kept, len(removed), total)

    def close(self) -> None:
        """Let go of the database; the next call opens it again."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None

    def _rows(self) -> Iterator[tuple[str, OpVerdict | None, int, float]]:
        found = self._do(
            lambda db: db.execute(
                "SELECT key, length(body), used FROM verdict ORDER BY used DESC"
            ).fetchall()
        )
        for key, size, used in found or ():
            whole = isinstance(size, int) and isinstance(used, float)  # else it is damaged
            yield key, self._peek(key) if whole else None, size if whole else 0, used

    def _peek(self, key: str) -> OpVerdict | None:
        sql = "SELECT body, digest FROM verdict WHERE key = ?"
        row = self._do(lambda db: db.execute(sql, (key,)).fetchone())
        return _decode(key, *row) if row else None

    def _write(self, action: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        """Act on a database that can be written; None when that cannot be done."""
        return self._do(lambda db: None if self._reads_only else action(db))

    def _do(self, action: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        """Act on the database in a transaction of its own; None when that cannot be done."""
        with self._lock:
            for last in (False, True):
                if self._off:
                    return None
                try:
                    return action(self._open())
                except sqlite3.Error as error:
                    if is_busy(error):
                        return None
                    self.close()
                    self._recover(error, last)
                except OSError as error:
                    self._turn_off(str(error))
        return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._owner != os.getpid():
            self._connection = None  # a parent's is not ours to close
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(f"{self.path}.lock", timeout=_BUSY_S):
                    self._connection = self._connect()
            except (OSError, sqlite3.Error) as error:
                if not (is_forbidden(error) and is_there(self.path)):
                    raise
                self._connection = self._connect_to_read(error)
            self._owner = os.getpid()
        return self._connection

    def _connect_to_read(self, refusal: Exception) -> sqlite3.Connection:
        """Open a database that we may only read, which in WAL mode SQLite may refuse at first."""
        for how in ("mode=ro", "immutable=1"):
            db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?{how}",
                uri=True,
                timeout=_BUSY_S,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version == CACHE_SCHEMA:
                    self._read_only(refusal)
                    return db
            except sqlite3.Error as error:
                if not is_forbidden(error):
                    db.close()
                    raise
            db.close()
        raise refusal

    def _read_only(self, refusal: Exception) -> None:
        if not self._reads_only:
            self._reads_only = True
            self._complain(
                f"{self.path}: the verdict cache cannot be written ({refusal}); what it holds is"
                " used, and nothing new is kept."
            )

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > CACHE_SCHEMA:
                db.close()
                self._step_aside(version)
                return self._connect()
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(
                "PRAGMA synchronous = NORMAL"
            )  # a power cut may cost verdicts, not harm them
            db.execute(_TABLE)
            db.execute(f"PRAGMA user_version = {CACHE_SCHEMA}")
        except BaseException:
            db.close()
            raise
        return db

    def _step_aside(self, version: int) -> None:
        """Leave a newer program's cache to it, which may be using it now."""
        ours = self.path.with_name(f"{self.path.stem}.v{CACHE_SCHEMA}{self.path.suffix}")
        self._complain(
            f"{self.path}: the verdict cache has schema {version}, this program knows"
            f" {CACHE_SCHEMA}; it is left alone and {ours.name} is used."
        )
        if ours == self.path:
            raise OSError(f"{ours} has schema {version}")
        self.path = ours

    def _recover(self, error: sqlite3.Error, last: bool) -> None:
        if last:
            self._turn_off(str(error))
        elif is_corrupt(error):
            try:
                with FileLock(f"{self.path}.lock", timeout=_BUSY_S):
                    if not self._sound():  # nobody else has put it aside yet
                        self._put_aside(error)
            except OSError as failure:
                self._turn_off(str(failure))

    def _sound(self) -> bool:
        try:
            db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=_BUSY_S)
            with contextlib.closing(db):
                return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.Error as error:
            return not is_corrupt(error)

    def _put_aside(self, error: sqlite3.Error) -> None:
        aside = self.path.with_name(f"{self.path.name}.corrupt-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
        self._complain(
            f"{self.path}: the verdict cache is damaged ({error}); it was renamed to"
            f" {aside.name} and a new one is begun."
        )

    def _turn_off(self, reason: str) -> None:
        self._off = True
        self._complain(
            f"{self.path}: the verdict cache cannot be used ({reason}); going on without."
        )


def _give_room_back(db: sqlite3.Connection) -> None:
    """Shrink the file where a quarter of it is free; others wait for that, so not for less."""
    free, pages = (
        db.execute(f"PRAGMA {n}").fetchone()[0] for n in ("freelist_count", "page_count")
    )
    if free * 4 > pages:
        db.execute("VACUUM")


def worth_keeping(verdict: OpVerdict, texts: ArtifactStore | None) -> bool:
    """`cacheable`, with the diagnostic read out of `texts`.

    Raises:
        RecordError: the diagnostic cannot be read.
    """
    diagnostic = verdict.failure.diagnostic if verdict.failure else None
    said = texts.get(diagnostic) if texts and diagnostic else b""
    return cacheable(verdict, said.decode("utf-8", "replace"))


def _digest(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + body).digest()


def _decode(key: str, body: bytes, digest: bytes) -> OpVerdict | None:
    if not isinstance(body, bytes) or _digest(key, body) != digest:
        return None
    try:
        return decode_json(body, OpVerdict, key, "a verdict")
    except RecordError:  # written by another version of the record
        return None


def _artifacts(verdict: OpVerdict) -> set[Artifact]:
    found = {artifact for stage in verdict.stages for artifact in stage.artifacts}
    if verdict.failure is not None and verdict.failure.diagnostic is not None:
        found.add(verdict.failure.diagnostic)
    return found


def _link(artifact: Artifact, source: ArtifactStore, target: ArtifactStore) -> bool:
    """Give `target` a text of `source` without unpacking it; its readers check the content."""
    kept, wanted = source.path(artifact.sha256), target.path(artifact.sha256)
    if wanted.exists():
        _touch(wanted)
        return True
    with kept.open("rb") as file:
        if zstandard.frame_content_size(file.read(18)) != artifact.size:
            return False
    wanted.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(kept, wanted)
    except FileExistsError:
        return True
    except OSError:  # another file system
        part = wanted.with_name(f".{wanted.name}-{os.getpid()}")
        shutil.copyfile(kept, part)
        part.replace(wanted)
    return True


def _touch(path: Path) -> None:
    """Let no pruning that goes on take a text for one that nobody wants."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
