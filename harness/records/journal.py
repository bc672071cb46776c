# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Journals: one append-only file per process, one event per line.

A process owns its file alone, so nothing interleaves. A line is handed to the kernel in one
write; a process that dies leaves at worst one torn last line, which every reader tolerates and
mentions. The beginning and the end of a test are on disk before we go on, and what is between them
half a second later, if the machine dies.

A verdict is written once: when an op of another model has it too, the line refers to it, and
`read_journal` puts it back. When its run is over a journal is packed to `*.jsonl.zst`.
"""

import math
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bringup.harness.errors import RecordError, StorageError
from bringup.harness.records import packing
from bringup.harness.records.schema import (
    SCHEMA_VERSION,
    AnyEvent,
    JournalOpened,
    OpEnded,
    OpRepeated,
    OpResult,
    OpVerdict,
    Provenance,
)
from bringup.harness.records.variable_names import ATTEMPT_VARIABLE
from bringup.harness.records.versions import refuse_newer
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.harness.storage.decoding import Json, decode_json, lines_of
from bringup.harness.storage.writable import encoded

_DECODER: Json[AnyEvent] = Json(AnyEvent, "an event")

JOURNAL_FOLDER = "journal"
PLAIN, PACKED = ".jsonl", ".jsonl.zst"
_MOST_NAMED = 50
"""Unreadable lines of one journal that get a sentence each."""
_SYNC_S = 0.5
"""What a machine that dies may lose of ops and stages, in seconds."""
_Place = tuple[str, str, float]


def run_attempt() -> int:
    """How often the run of this process has been taken up, as its environment says; 1 or more."""
    text = os.environ.get(ATTEMPT_VARIABLE, "")
    return max(int(text), 1) if text.isdecimal() and len(text) < 10 else 1


class JournalWriter:
    """Appends events to a fresh journal of this process below `run_dir`."""

    def __init__(
        self, run_dir: Path, run_id: str, provenance: Provenance, attempt: int | None = None
    ) -> None:
        """`attempt` is how often the run has been taken up; None: as the environment says."""
        folder = run_dir / JOURNAL_FOLDER
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}{PLAIN}"
        self.path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o644)
        except OSError as error:
            raise cannot_write(f"the journal {self.path}", error, "create") from error
        self.pid = os.getpid()
        self._synced = True
        self._synced_at = -math.inf
        self._held: dict[_Place, int] = {}
        """The verdicts this journal has, by the hash of how they were written."""
        self.append(
            JournalOpened(
                time=time.time(),
                schema=SCHEMA_VERSION,
                run_id=run_id,
                provenance=provenance,
                attempt=run_attempt() if attempt is None else attempt,
            )
        )

    def append(self, event: AnyEvent, *, sync: bool = True) -> None:
        """Write one event and, with `sync`, wait until it is on disk.

        Without `sync` the event outlives its process all the same, but not the machine.

        Raises:
            StorageError: the disk is full or gone; what was written before stays readable.
        """
        line = encoded(self._shortened(event)) + b"\n"
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(28, "No space left on device")
            self._synced = False
        except OSError as error:
            raise cannot_write(f"the journal {self.path}", error) from error
        if sync:
            self.sync()

    def sync(self) -> None:
        """Wait until all that was written is on disk.

        Raises:
            StorageError: the disk is full or gone.
        """
        if self._synced:
            return
        self._synced = True  # before: what is written meanwhile is another's to sync
        self._synced_at = time.monotonic()
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise cannot_write(f"the journal {self.path}", error) from error

    def sync_now_and_then(self) -> None:
        """`sync`, unless that was done within the last half second.

        A disk takes milliseconds for it, a third of what an op takes.

        Raises:
            StorageError: the disk is full or gone.
        """
        if time.monotonic() - self._synced_at >= _SYNC_S:
            self.sync()

    def _shortened(self, event: AnyEvent) -> AnyEvent:
        """A reference in place of a verdict that is in the journal already."""
        if not isinstance(event, OpEnded):
            return event
        verdict = event.result.verdict
        place, content = _place(verdict), hash(encoded(verdict))
        if self._held.get(place) == content and not event.result.contradicts:
            return _repeated(event)
        self._held[place] = content
        return event

    def close(self) -> None:
        """Close the file; appending afterwards is an error."""
        os.close(self._fd)


def read_journal(path: Path) -> tuple[list[AnyEvent], list[str]]:
    """Read one journal: its events, and a sentence for everything that was unreadable.

    Raises:
        RecordError: the journal has a newer schema, or cannot be read or unpacked.
    """
    events: list[AnyEvent] = []
    torn: list[str] = []
    held: dict[_Place, OpVerdict] = {}
    data, unreadable = packing.read_lines(path), 0
    last = data.count(b"\n") + 1
    for number, line in lines_of(data):
        if number == 1:
            refuse_newer(line, path, SCHEMA_VERSION)
        where = f"{path.name}:{number}"
        event = _DECODER.decode_or_none(line)
        if event is None:
            unreadable += 1
            if number == last:
                torn.append(f"{where}: the last line is torn; its event is lost")
            elif unreadable <= _MOST_NAMED:
                torn.append(f"{where}: unreadable line skipped ({_why_unreadable(line)})")
            continue
        if isinstance(event, OpEnded):
            held[_place(event.result.verdict)] = event.result.verdict
        elif isinstance(event, OpRepeated):
            verdict = held.get((event.op_key, event.device, event.computed))
            if verdict is None:
                torn.append(f"{where}: refers to a verdict that is not in the journal")
                continue
            event = _whole(event, verdict)
        events.append(event)
    if unreadable > _MOST_NAMED:
        torn.append(f"{path.name}: {unreadable} lines are unreadable, of which not all are named")
    return events, torn


def _why_unreadable(line: bytes) -> str:
    try:
        _DECODER.decode(line, "it is")
    except RecordError as error:
        return str(error)
    return ""


def read_header(path: Path) -> JournalOpened | None:
    """The first event of a journal; None when it is torn.

    Raises:
        RecordError: the journal has a newer schema, or cannot be read or unpacked.
    """
    first, _, _ = packing.read_lines(path).partition(b"\n")
    refuse_newer(first, path, SCHEMA_VERSION)
    try:
        return decode_json(first, JournalOpened, path, "a journal")
    except RecordError:
        return None


def pack_journals(run_dir: Path) -> None:
    """Replace every plain journal by a packed one, but for one that is too large to be packed.

    Nobody may be writing them any more. A journal goes only when what takes its place is on disk
    and reads the same.

    Raises:
        StorageError: the disk is full or gone.
    """
    for path in unpacked_journals(run_dir):
        data = packing.read_lines(path)
        if (small := packing.packed(data)) is None:
            continue
        target = path.with_name(journal_name(path) + PACKED)
        write_atomically(target, small)
        if target.read_bytes() != small:
            raise StorageError(f"cannot write {target}: it does not read as it was written")
        path.unlink()


def unpacked_journals(run_dir: Path) -> list[Path]:
    """The plain journals that packing would replace."""
    return [
        path
        for path in journals(run_dir)
        # a link to itself is no file, and whoever reads it says so
        if not path.name.endswith(PACKED)
        and path.is_file()
        and path.stat().st_size <= packing.LARGEST
    ]


def journals(run_dir: Path) -> Iterator[Path]:
    """All journals of a run, in a stable order; of one that is being packed, the plain file."""
    folder = run_dir / JOURNAL_FOLDER
    found = {journal_name(path): path for path in folder.glob("*" + PACKED)}
    found |= {journal_name(path): path for path in folder.glob("*" + PLAIN)}
    yield from (found[name] for name in sorted(found))


def journal_name(path: Path) -> str:
    """What a journal is called, packed or not."""
    return path.name.removesuffix(PACKED).removesuffix(PLAIN)


def _place(verdict: OpVerdict) -> _Place:
    return verdict.op.key, verdict.device, verdict.computed


def _repeated(event: OpEnded) -> OpRepeated:
    result = event.result
    op_key, device, computed = _place(result.verdict)
    return OpRepeated(
        time=event.time,
        key=event.key,
        op_key=op_key,
        device=device,
        computed=computed,
        index=result.index,
        count=result.count,
        node=result.node,
        outcome=result.verdict.outcome,
        hit=result.hit,
        rechecked=result.rechecked,
    )


def _whole(event: OpRepeated, verdict: OpVerdict) -> OpEnded:
    result = OpResult(
        index=event.index,
        count=event.count,
        node=event.node,
        verdict=verdict,
        hit=event.hit,
        rechecked=event.rechecked,
    )
    return OpEnded(time=event.time, key=event.key, result=result)


def events_of(
    run_dir: Path, held: Callable[[AnyEvent], AnyEvent] | None = None
) -> tuple[list[tuple[AnyEvent, str]], list[str]]:
    """Every event of a run with its journal's name, and sentences on losses.

    `held` makes of each event what is kept of it, journal by journal.

    Raises:
        RecordError: a journal has a newer schema, or cannot be read or unpacked.
    """
    pairs: list[tuple[AnyEvent, str]] = []
    losses: list[str] = []
    for path in journals(run_dir):
        events, torn = read_journal(path)
        losses += torn
        name = journal_name(path)
        pairs += [(held(event) if held else event, name) for event in events]
    return pairs, losses
