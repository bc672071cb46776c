# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What was made of each run when it ended, kept beside its rows: `why` and `explain` say the same
wherever they are asked, also where the run's directory never was."""

import hashlib
import re
import time
from collections.abc import Collection, Iterable
from pathlib import Path

import zstandard

from bringup.harness.errors import RecordError
from bringup.harness.records.night import NightVerdict, decode_night, read_night
from bringup.harness.storage.decoding import read_bytes, unpacked
from bringup.harness.storage.writable import encoded
from bringup.pipeline.history.store.history import History
from bringup.pipeline.history.store.index import VERDICTS
from bringup.pipeline.history.store.place import GoneError

_NAME = re.compile(rf"{VERDICTS}(?P<run>[0-9a-f]{{16}})/\d{{15}}-(?P<digest>[0-9a-f]{{32}})\.zst")
"""`verdicts/RUN/WHEN-DIGEST.zst`: a run's id by its digest, milliseconds, and the content's."""


def keep_verdict(history: History, verdict: NightVerdict) -> None:
    """Keep a run's verdict in place of the one before.

    Raises:
        HistoryError: the store cannot be written.
    """
    data = encoded(verdict)
    folder = f"{VERDICTS}{_digest(verdict.run.encode())[:16]}/"
    name = f"{folder}{int(time.time() * 1000):015}-{_digest(data)}.zst"
    history.place.put(name, zstandard.compress(data))
    for older in [n for n in history.place.sizes() if n.startswith(folder) and n != name]:
        history.place.delete(older)


def keep_verdict_of(history: History, run_dir: Path) -> None:
    """Keep the verdict in a run's directory, where it has one and the history has none of the run.

    Raises:
        HistoryError: the store cannot be written.
        RecordError: what the directory has is no verdict.
    """
    verdict = read_night(run_dir)
    if verdict is not None and kept_verdict(history, verdict.run) is None:
        keep_verdict(history, verdict)


def kept_verdict(history: History, run: str) -> NightVerdict | None:
    """What was made of a run; None where nobody judged it, or what is kept is damaged.

    Raises:
        HistoryError: the store cannot be reached, or a newer version wrote what is kept.
    """
    folder = f"{VERDICTS}{_digest(run.encode())[:16]}/"
    for name in sorted((n for n in history.index().sizes if n.startswith(folder)), reverse=True):
        try:
            data = _content(history, name)
        except RecordError:  # `history verify` names it, and whoever asks judges the run again
            continue
        return decode_night(data, f"{history.address}/{name}")
    return None


def damaged_verdicts(history: History, names: Iterable[str]) -> list[str]:
    """A sentence for each that is not as it was written."""
    said = []
    for name in sorted(n for n in names if n.startswith(VERDICTS)):
        try:
            _content(history, name)
        except RecordError as error:
            said.append(f"{history.address}/{name} is damaged: {error}")
    return said


def verdicts_of(names: Iterable[str], runs: Collection[str]) -> set[str]:
    """Of the names of files those that are verdicts of some runs."""
    known = {_digest(run.encode())[:16] for run in runs}
    found = ((name, _NAME.fullmatch(name)) for name in names)
    return {name for name, match in found if match and match["run"] in known}


def _content(history: History, name: str) -> bytes:
    """JSON of a verdict, as it was written.

    Raises:
        RecordError: it is not, or is gone by now.
    """
    match = _NAME.fullmatch(name)
    try:
        data = unpacked(read_bytes(history.place.local(name)), name)
    except GoneError as error:
        raise RecordError(str(error)) from None
    if match is None or _digest(data) != match["digest"]:
        raise RecordError("its content is not what it was")
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
