# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The model side of `nox -s repro`: load a model by its test, find what in it is to blame."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bringup.harness.devices.catalog import kind_of
from bringup.harness.errors import HarnessError, UsageError
from bringup.harness.records.advice import advice_here
from bringup.harness.records.reproducible import EXPECTED
from bringup.harness.records.schema import Identity, Stage
from bringup.harness.records.values import BASE_SIZE
from bringup.harness.records.variable_names import RUN_DIR_VARIABLE
from bringup.harness.reduce import child_process as apart
from bringup.harness.reduce import request as requests
from bringup.harness.reduce.model_reproducer import ModelExpected, read_model, refuse_untrusted
from bringup.harness.reduce.request import PART_DEADLINE, SECONDS, Request, SearchDone
from bringup.harness.reduce.run_op import compared, reproduce
from bringup.harness.reduce.search import ModelOutcome
from bringup.harness.reproduce.reproducer import read_expected
from bringup.harness.session import begin
from bringup.harness.storage.scratch import Scratch
from bringup.harness.storage.writable import said_by, writable


def reproduce_model(
    which: str,
    folder: Path | None,
    results: Path,
    *,
    device: str | None = None,
    size: str = BASE_SIZE,
    seconds: float = SECONDS,
    deadline_s: float = PART_DEADLINE,
    trust: bool = False,
    loaders: Sequence[Path] = (),
) -> int:
    """Run a model's reproducer, or a test by its pytest id, and reduce it; returns the exit code.

    0: it ended as expected (or, never seen before, it failed), and where a smallest part was
    found, that part ends the same way alone. 1: it ended otherwise. Unless there is `trust` in
    whoever wrote a reproducer, its test has to be `which` itself, one of this checkout, or of the
    repositories of `loaders`, in our settings.

    Raises:
        UsageError: there is no such test, it does not come as far as its model, or needs trust.
        DeviceError: the device cannot be had.
        RecordError: a record is damaged or the disk is full.
    """
    expected = read_model(folder) if folder is not None else None
    request = Request(
        run_dir=(folder.parent.parent if folder is not None else _new_run(results)).absolute(),
        seconds=seconds,
        say=_progress,
        deadline_s=deadline_s,
        expected=expected,
    )
    if expected is not None:
        if not trust:
            refuse_untrusted(expected, f"{folder}/{EXPECTED}", loaders, which)
        print(writable(f"{folder}: {expected.model.key}, {expected.fingerprint}"), flush=True)
    _run_test(which, device, size, request)
    return _told(request)


def _run_test(which: str, device: str | None, size: str, request: Request) -> None:
    """Have pytest load the model; the tester does the rest."""
    known = request.expected
    entry = known.entry if known else which
    name, size = (known.model.device, known.model.size) if known else (device, size)
    if entry.startswith(("-", "@")):
        raise UsageError(f"{entry!r} is no pytest id")
    if name:
        kind_of(name)  # an unknown one is refused before pytest sees it
    apart.say(Stage.LOAD, max(request.seconds, requests.STAGE_S))
    arguments = [entry, f"--size={size}", *([f"--device={name}"] if name else [])]
    watch = _Watch()
    with Scratch("repro") as scratch:
        variables = known.environment if known else {}
        variables = {**variables, RUN_DIR_VARIABLE: str(scratch.path)}
        with _environment(variables), begin() as session:
            session.hold(request)  # pytest's own session is within this one, and finds it
            code = pytest.main([*arguments, *_QUIET], plugins=[watch])
    if code == pytest.ExitCode.INTERRUPTED and request.found is None and watch.error is None:
        raise KeyboardInterrupt  # pytest keeps it to itself; a collection that failed is no such
    if isinstance(watch.error, HarnessError):
        raise watch.error
    if request.found is None:
        why = said_by(watch.error) if watch.error else "no such test"
        raise UsageError(f"{entry} does not come as far as its model: {why}")


_QUIET = ("-o", "addopts=", *("-p", "no:terminal", "-p", "no:cacheprovider", "-s"))


class _Watch:
    """Sees why a test did not come as far as it should."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def pytest_exception_interact(self, call: pytest.CallInfo[None]) -> None:
        """A test, or its collection, raised."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, SearchDone):
            self.error = self.error or call.excinfo.value


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _new_run(results: Path) -> Path:
    return results / f"repro-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"


def _progress(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _told(request: Request) -> int:
    """Say what was found and give the exit code."""
    found, expected = request.found, request.expected
    assert found is not None
    same, sentence = how_it_ended(expected, found.ended, request.identity)
    print(sentence)
    for sentence in found.sentences:
        print(sentence)
    if request.place is None or found.smallest is None:
        return 0 if same else 1
    smallest = found.smallest
    words = "the smallest part" if smallest.minimal else "the smallest part so far"
    print(
        f"{len(smallest.part.units)} of {smallest.of} ops are {words}:"
        f" {smallest.verdict.op.name}, {smallest.verdict.fingerprint}"
    )
    print(
        f"{request.place}: it alone, without the model: "
        f"{advice_here().command('repro', request.place.name)}"
    )
    alone = read_expected(request.place)
    same_alone, sentence = compared(alone, reproduce(request.place, alone))
    print(sentence)
    return 0 if same and same_alone else 1


def how_it_ended(
    expected: ModelExpected | None, ended: ModelOutcome, model: Identity | None = None
) -> tuple[bool, str]:
    """Whether a model ended as expected, or with nothing expected, and a sentence that says so."""
    model = model or (expected.model if expected else None)
    said = f"The model ended {ended.outcome.value}"
    if ended.failure is not None:
        said += f" with fingerprint {ended.fingerprint(model.name if model else '')}"
    if expected is None:
        return True, f"{said}."
    if ended.sign == ModelOutcome(expected.outcome, expected.failure).sign:
        return True, f"{said}: the same as expected."
    return False, (
        f"{said}: not the same as expected, {expected.outcome.value} with {expected.fingerprint}."
    )
