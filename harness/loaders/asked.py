# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The variants of loaders that only an import can tell, asked of a child.

Importing one may raise, end the process or never return: that costs its own tests and no others'.
What was found is kept beside the verdicts, under what the files say today, so that the workers of a
run do not ask again; that one could not be imported is kept for an hour, as somebody may install
what it needs.

    python -m bringup.harness.loaders.asked REQUEST

answers in lines of JSON behind the file `REQUEST`; each loader is announced before it is imported.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bringup.harness.errors import HarnessError
from bringup.harness.inner_process import how_it_ended, words_of_parent
from bringup.harness.loaders.importing import importable, loader_class, variants_of
from bringup.harness.loaders.repository import LoaderFile, Repository
from bringup.harness.records.naming import LOADER
from bringup.harness.records.verdicts.cache import default_path
from bringup.harness.storage.atomic import write_atomically
from bringup.harness.storage.scratch import Scratch
from bringup.harness.storage.writable import encoded, said_by

LIMIT_S = 60.0
"""Importing one loader may take so long."""
_ERRORS_LAST_S = 3600.0


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one loader."""

    variants: tuple[str, ...] = ()
    error: str = ""
    """Why it cannot be imported."""


class _Request(msgspec.Struct):
    root: str
    package: str
    files: list[str]


class _Line(msgspec.Struct, omit_defaults=True):
    file: str
    answer: Answer | None = None
    """None: it is about to be imported."""


def ask(
    repository: Repository, loaders: Sequence[LoaderFile], limit_s: float = LIMIT_S
) -> dict[Path, Answer]:
    """What loaders say that their variants are, by their paths."""
    places = {one.path: _place(repository, one) for one in loaders}
    found = {path: kept for path, place in places.items() if (kept := _kept(place))}
    wanted = [one.path for one in loaders if one.path not in found]
    while wanted:
        told = _child(repository, wanted, limit_s)
        for path, answer in told.items():
            found[path] = answer
            _keep(places[path], answer)
        wanted = [path for path in wanted if path not in told]
    return found


def _child(repository: Repository, files: Sequence[Path], limit_s: float) -> dict[Path, Answer]:
    """Ask one child for all; those it came to, the last of which may have ended it."""
    with Scratch("loaders") as scratch:
        request = scratch.path / "request.json"
        asked = _Request(str(repository.root), repository.package, [str(f) for f in files])
        request.write_bytes(encoded(asked))
        done = subprocess.run(
            [sys.executable, "-m", "bringup.harness.loaders.asked", str(request), str(limit_s)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        answers = request.with_suffix(".answers")
        data = answers.read_bytes().splitlines() if answers.exists() else []
        lines = [msgspec.json.decode(line, type=_Line) for line in data]
    found = {Path(line.file): line.answer for line in lines}
    how = _ended(done.returncode, limit_s)
    if not lines:
        return dict.fromkeys(files, Answer(error=f"the process that imports it {how}"))
    return {path: answer or Answer(error=f"importing it {how}") for path, answer in found.items()}


def _ended(code: int, limit_s: float) -> str:
    if code == -signal.SIGALRM:
        return f"takes more than {limit_s:.0f} s"
    return how_it_ended(code)


def _place(repository: Repository, loader: LoaderFile) -> Path:
    """Where an answer is kept: it holds for these files as they are now."""
    hashed = hashlib.sha256(repr((sys.version_info[:3], str(loader.path))).encode())
    near = {*loader.path.parent.rglob("*.py"), *repository.root.glob("*.py")}
    for file in sorted(near):
        state = file.stat()
        hashed.update(f"{file}|{state.st_size}|{state.st_mtime_ns}\n".encode("utf-8", "replace"))
    return default_path().parent / "loaders" / f"{hashed.hexdigest()[:32]}.json"


def _kept(place: Path) -> Answer | None:
    try:
        answer = msgspec.json.decode(place.read_bytes(), type=Answer)
        old = time.time() - place.stat().st_mtime
    except (OSError, msgspec.DecodeError):
        return None
    return None if answer.error and old > _ERRORS_LAST_S else answer


def _keep(place: Path, answer: Answer) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, encoded(answer))
    except (OSError, HarnessError):
        return  # whoever cannot keep it asks again


def main() -> None:
    """Answer the request that the command line names; in seconds, how long each file may take."""
    file, limit_s = words_of_parent(2, number_first=False)
    request = msgspec.json.decode(Path(file).read_bytes(), type=_Request)
    repository = Repository(Path(request.root), request.package)
    with Path(file).with_suffix(".answers").open("ab", buffering=0) as said:
        for path in map(Path, request.files):
            said.write(encoded(_Line(str(path))) + b"\n")
            signal.setitimer(signal.ITIMER_REAL, float(limit_s))  # ends us, whatever it does
            answer = _answer(repository, repository.loaders[path])
            signal.setitimer(signal.ITIMER_REAL, 0)
            said.write(encoded(_Line(str(path), answer)) + b"\n")
    os._exit(0)  # a thread that an import began does not keep us


def _answer(repository: Repository, loader: LoaderFile) -> Answer:
    try:
        with importable(repository, loader):
            return Answer(tuple(variants_of(loader_class(repository, loader))))
    except Exception as error:
        return Answer(error=said_by(error).removeprefix(f"{loader.inside}/{LOADER} ")[:500])


if __name__ == "__main__":
    main()
