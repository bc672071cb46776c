# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a failing model test leaves: a small directory that says which it was and how it ended.

    expected.json    `ModelExpected`
    versions.json    what was installed
    run.py           loads the model, runs it, and reduces it to the part that is to blame

The model itself is loaded the way its test loads it. The directory lies beside those of ops, and
`nox -s repro` takes both.
"""

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from bringup.harness.errors import UsageError
from bringup.harness.records.checkout import refuse_foreign_test
from bringup.harness.records.environment import of_a_test
from bringup.harness.records.naming import entry_of, is_loaders, sized
from bringup.harness.records.reduced import MODEL_SCHEMA, Reduced
from bringup.harness.records.reproducible import (
    EXPECTED,
    REPRO_FOLDER,
    RUN_MODEL,
    RUN_SCRIPT,
    VERSIONS,
    reproducer_name,
)
from bringup.harness.records.schema import Failure, Identity, Outcome, Status
from bringup.harness.records.variables import VARIABLES
from bringup.harness.records.versions import decode_versioned
from bringup.harness.reproduce.lookup import written_below
from bringup.harness.reproduce.reproducer import fingerprint_of
from bringup.harness.storage.atomic import cannot_write, write_atomically
from bringup.harness.storage.decoding import decode_json, read_bytes
from bringup.harness.storage.writable import encoded


class ModelExpected(msgspec.Struct, frozen=True, kw_only=True):
    """How a model test ended, and how to run it again."""

    model: Identity
    nodeid: str
    """As pytest took it."""
    status: Status
    outcome: Outcome
    fingerprint: str
    """`stage:test:diagnostic`, normalised."""
    failure: Failure
    """Its diagnostic lies in the run's artifacts, not here."""
    environment: dict[str, str] = {}
    """Settings that were in the environment."""
    origin: str = ""
    """Run id of the run that wrote it."""
    computed: float = 0.0
    """Seconds since the epoch."""
    reduced: Reduced | None = None
    schema: int = MODEL_SCHEMA

    @property
    def entry(self) -> str:
        """The test as a list names it: without size and device."""
        return entry_of(self.nodeid, self.model.device, self.model.size)


def settings() -> dict[str, str]:
    """Variables of this process's environment that change what a test does."""
    ours = (name for name, variable in sorted(VARIABLES.items()) if variable.of_tests)
    return {name: os.environ[name] for name in ours if name in os.environ}


def expected_of(
    model: Identity,
    nodeid: str,
    status: Status,
    outcome: Outcome,
    failure: Failure,
    origin: str,
) -> ModelExpected:
    """The record of a test that ended now in this process."""
    return ModelExpected(
        model=model,
        nodeid=nodeid,
        status=status,
        outcome=outcome,
        fingerprint=fingerprint_of(model.name, outcome, failure),
        failure=msgspec.structs.replace(failure, diagnostic=None),
        environment=settings(),
        origin=origin,
        computed=time.time(),
    )


def write_model(run_dir: Path, expected: ModelExpected, versions: Mapping[str, str]) -> Path:
    """Write a model's reproducer below a run directory, over an older one; return its directory.

    Raises:
        RecordError: the disk is full or gone.
    """
    place = run_dir / REPRO_FOLDER / reproducer_name(expected.model)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(f"the reproducer {place}", error) from error
    write_atomically(place / VERSIONS, _pretty(dict(versions)))
    write_atomically(place / RUN_SCRIPT, RUN_MODEL.encode())
    write_atomically(place / EXPECTED, _pretty(expected))
    return place


def read_model(folder: Path) -> ModelExpected | None:
    """A model's `expected.json`; None for an op's, or where there is none.

    Raises:
        RecordError: it is damaged, or of a newer program.
    """
    path = folder / EXPECTED
    if not path.exists():
        return None
    data, what = read_bytes(path), "a reproducer's record"
    kind = decode_json(data, _Kind, path, what)
    if kind.model is None:
        return None
    return decode_versioned(data, ModelExpected, path, what, MODEL_SCHEMA)


def named_folders(named: Sequence[str]) -> tuple[Path, ...]:
    """The repositories of loaders that somebody named, absolute.

    Raises:
        UsageError: one is no folder.
    """
    lacking = next((name for name in named if not Path(name).is_dir()), None)
    if lacking is not None:
        raise UsageError(f"--models {lacking}: there is no such folder")
    return tuple(Path(os.path.normpath(Path(name).absolute())) for name in named)


def refuse_untrusted(
    expected: ModelExpected, where: str, loaders: Sequence[Path] = (), named: str = ""
) -> None:
    """A reproducer may be a stranger's: it names a test and sets variables, and brings no code.

    Who names a repository of loaders trusts what is in it; `loaders` are those, absolute. So does
    who names the test itself, by its pytest id: `named`.

    Raises:
        UsageError: it needs trust in whoever wrote it.
    """
    hint = "; if you know who wrote it, --trust runs it all the same"
    try:
        if expected.entry != named and not _is_of_named(expected.entry, loaders):
            refuse_foreign_test(expected.entry, Path.cwd(), where)
        of_a_test(expected.environment, where)
    except UsageError as error:
        raise UsageError(f"{error}{hint}") from None


def _is_of_named(test: str, loaders: Sequence[Path]) -> bool:
    """Is it a loader's test, of a file in one of these repositories?

    Its path is relative to the working directory, or begins with the repository's name.
    """
    file = PurePosixPath(test.partition("::")[0])
    if not is_loaders(test) or file.is_absolute() or ".." in file.parts:
        return False
    places = [(root, root.parent / file) for root in loaders if file.parts[0] == root.name]
    places += [(root, Path.cwd() / file) for root in loaders]
    return any(p.is_file() and p.resolve().is_relative_to(r.resolve()) for r, p in places)


class _Kind(msgspec.Struct, frozen=True):
    model: Identity | None = None


def find_model(which: str, results: Path, device: str | None = None) -> Path | None:
    """The newest reproducer of a model below a results folder or a run directory; None for another
    name.

    `which` is a directory, its name, a test's key (`resnet[full-eval]@cpu`, or without the
    device) or its pytest id, with or without device and size.

    Raises:
        UsageError: the tests of several devices or sizes go by that name.
        RecordError: a record is damaged, or of a newer program.
    """
    if (Path(which) / EXPECTED).is_file():
        return Path(which) if read_model(Path(which)) else None
    found: dict[str, Path] = {}
    for path in written_below(results):
        expected = read_model(path.parent) if _may_be(path.parent.name, which) else None
        if expected and which in _names(expected) and device in (None, expected.model.device):
            found[path.parent.name] = path.parent
    if len(found) > 1:
        raise UsageError(
            f"{which!r} may be any of {len(found)} tests; name one: {', '.join(sorted(found))}"
        )
    return next(iter(found.values()), None)


def _may_be(name: str, which: str) -> bool:
    """Without opening it: could a directory be the one meant?"""
    last = re.sub(r"[^\w.]+", "-", which.rpartition("::")[2].removeprefix("test_"))
    return name.startswith(last.partition("-")[0])


def _names(expected: ModelExpected) -> Iterable[str]:
    model = expected.model
    entry = expected.entry
    names = {reproducer_name(model), model.key, model.name, expected.nodeid, entry}
    return names | {sized(entry, model.size)}


def _pretty(value: object) -> bytes:
    return msgspec.json.format(encoded(value), indent=2) + b"\n"
