# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A run's journals, read while they are being written: what came since the last look.

Only whole lines are taken; what is torn now may be whole at the next look. Lines that nobody can
read are passed over: whoever reads the journals afterwards (`journal.read_journal`) names them.
"""

from collections.abc import Iterator
from pathlib import Path

from bringup.harness.records.journal import PACKED, journal_name, journals
from bringup.harness.records.packing import read_lines
from bringup.harness.records.schema import SCHEMA_VERSION, AnyEvent
from bringup.harness.records.versions import refuse_newer
from bringup.harness.storage.decoding import Json, lines_of, read_bytes

_DECODER: Json[AnyEvent] = Json(AnyEvent, "an event")


class JournalTail:
    """How far each journal of a run has been read."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._offsets: dict[str, int] = {}
        """Bytes that were read of each journal, by its name, as it is unpacked."""
        self._packed: set[Path] = set()
        """Packed journals that were read: nobody writes them any more."""

    def read(self) -> Iterator[tuple[AnyEvent, str]]:
        """What was written since the last call, with its journal's name, journal by journal.

        Raises:
            RecordError: a journal has a newer schema, or cannot be read or unpacked.
        """
        for path in journals(self._run_dir):
            name = journal_name(path)
            yield from ((event, name) for event in self._new_events(path, name))

    def _new_events(self, path: Path, name: str) -> list[AnyEvent]:
        offset = self._offsets.get(name, 0)
        data = self._from(path, offset)
        whole = data.rfind(b"\n") + 1
        self._offsets[name] = offset + whole
        events = []
        for number, line in lines_of(data[:whole]):
            if not offset and number == 1:
                refuse_newer(line, path, SCHEMA_VERSION)
            event = _DECODER.decode_or_none(line)
            if event is not None:
                events.append(event)
        return events

    def _from(self, path: Path, offset: int) -> bytes:
        if path in self._packed:
            return b""
        if path.name.endswith(PACKED):
            self._packed.add(path)
            return read_lines(path)[offset:]
        return read_bytes(path, start=offset)
