# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Journals: one append-only file per process, one event per line, on disk before we go on.

A process owns its file alone, so nothing interleaves. A line is handed to the kernel in one
write and synced; a process that dies leaves at worst one torn last line, which every reader
tolerates and mentions.
"""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from harness.errors import RecordError
from harness.records.schema import SCHEMA_VERSION, AnyEvent, JournalOpened, Provenance

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)

JOURNAL_FOLDER = "journal"


class JournalWriter:
    """Appends events to a fresh journal of this process below `run_dir`."""

    def __init__(self, run_dir: Path, run_id: str, provenance: Provenance) -> None:
        folder = run_dir / JOURNAL_FOLDER
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self.path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o644)
        except OSError as error:
            raise RecordError(f"cannot create the journal {self.path}: {error.strerror}") from error
        self.pid = os.getpid()
        self.append(
            JournalOpened(
                time=time.time(), schema=SCHEMA_VERSION, run_id=run_id, provenance=provenance
            )
        )

    def append(self, event: AnyEvent) -> None:
        """Write one event and wait until it is on disk.

        Raises:
            RecordError: the disk is full or gone; what was written before stays readable.
        """
        line = _ENCODER.encode(event) + b"\n"
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(28, "No space left on device")
            os.fdatasync(self._fd)
        except OSError as error:
            raise RecordError(f"cannot write the journal {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; appending afterwards is an error."""
        os.close(self._fd)


def read_journal(path: Path) -> tuple[list[AnyEvent], list[str]]:
    """Read one journal: its events, and a sentence for everything that was unreadable.

    Raises:
        RecordError: the journal has a newer schema, or no header at all.
    """
    events: list[AnyEvent] = []
    torn: list[str] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        if number == 1:
            _refuse_newer(path, line)
        try:
            events.append(_DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = f"{path.name}:{number}"
            if number == len(lines):
                torn.append(f"{where}: the last line is torn; its event is lost")
            else:
                torn.append(f"{where}: unreadable line skipped ({error})")
    return events, torn


def _refuse_newer(path: Path, line: bytes) -> None:
    class Header(msgspec.Struct):
        schema: int = 0

    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # a torn first line: reported with the others
    if header.schema > SCHEMA_VERSION:
        raise RecordError(
            f"{path}: written with record schema {header.schema}, this version reads up to "
            f"{SCHEMA_VERSION}; upgrade bringup to read it"
        )


def journals(run_dir: Path) -> Iterator[Path]:
    """All journals of a run, in a stable order."""
    yield from sorted((run_dir / JOURNAL_FOLDER).glob("*.jsonl"))
