# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: choose devices, and give every test a beginning and an end on record.

`--device n150,cpu` runs each collected test once per device; the device becomes the last part of
the test's id. Without it tests run on `BRINGUP_DEVICE`, or the CPU, under the ids they have.

Tests are recorded when the run asks for it (`BRINGUP_RUN_DIR`) or when they make a ModelTester.
"""

import gc
import os
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bringup.harness.builds.sources import SourceFolders
from bringup.harness.device_host.shared import close_large, device
from bringup.harness.devices.catalog import DEFAULT_DEVICE, kind_of
from bringup.harness.errors import IncorrectResultError, UnverifiedError, UsageError
from bringup.harness.options.device_names import device_named
from bringup.harness.recording.current_test import (
    announce_test,
    current_test,
    forget_test,
    open_test,
)
from bringup.harness.recording.failures import NOTHING_COMPARED, failure_of, outcome_of
from bringup.harness.recording.op_tally import OpTally, report_command, summary
from bringup.harness.recording.run import current_run
from bringup.harness.recording.shown import note_shown, without_pictures
from bringup.harness.records.collected import (
    DEVICE_PARAMETER,
    NEEDS_MARKER,
    SIZE_PARAMETER,
    entry_of_item,
    identity_of_item,
)
from bringup.harness.records.environment import check
from bringup.harness.records.naming import SIZES, nodeid_on, same_test, sized
from bringup.harness.records.schema import GOOD, Failure, Identity, Outcome
from bringup.harness.records.variable_names import (
    DEVICE_VARIABLE,
    RUN_DIR_VARIABLE,
    SIZE_VARIABLE,
    XDIST_WORKER_VARIABLE,
)
from bringup.harness.session import Session, begin
from bringup.harness.state import settings
from bringup.harness.storage.scratch import sweep
from bringup.harness.storage.writable import MESSAGE_LIMIT, plain, said_by, writable

if TYPE_CHECKING:
    from bringup.harness.recording.recorder import TestRecorder

pytest_plugins = ["bringup.harness.peer.plugin", "bringup.harness.loaders.plugin"]

_session = pytest.StashKey[Session]()
"""Holds what outlives a test, until pytest is unconfigured."""
_outcomes = pytest.StashKey[list[pytest.TestReport]]()
_twins = pytest.StashKey[dict[str, str]]()
_op_tallies = pytest.StashKey[dict[str, OpTally]]()
_said_of_ops = pytest.StashKey[dict[str, list[str]]]()
"""Lines on the ops of a run, by the command for its report."""
_settings = pytest.StashKey[settings.Values]()
"""What holds after the running test."""
_set_by_fixtures = pytest.StashKey[dict[int, set[str]]]()
"""Names of the settings that fixtures of several tests changed, by the fixture."""
_WORKERS_WORD = "bringup_said_of_ops"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --device."""
    group = parser.getgroup("bringup", "model bring-up")
    group.addoption(
        "--device",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="devices to run on, e.g. cpu,n150; each test runs once per device",
    )
    group.addoption(
        "--size",
        choices=SIZES,
        default=SIZES[0],
        help="tiny: a few layers of each model, to rehearse; base: the published size (default)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse unknown devices before anything is collected."""
    try:
        check()
        for name in selected_devices(config) or [default_device()]:
            kind_of(name)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    config.addinivalue_line("markers", NEEDS_MARKER)
    config.stash[_session] = begin()
    config.stash[_session].hold(SourceFolders(_folders_of(config)))
    os.environ[SIZE_VARIABLE] = config.getoption("--size")
    config.stash[_op_tallies], config.stash[_said_of_ops] = {}, {}
    config.stash[_settings], config.stash[_set_by_fixtures] = {}, {}
    config.args = [name for argument in config.args for name in _full_ids(config, argument)]


def _folders_of(config: pytest.Config) -> list[Path]:
    """Where a session was started, the project that it is of, and where its tests lie."""
    started = Path(config.invocation_params.dir)
    given = (started / name.partition("::")[0] for name in config.args)
    tests = [path if path.is_dir() else path.parent for path in given if path.exists()]
    return [started, *tests, *([config.rootpath] if config.inipath is not None else [])]


def _full_ids(config: pytest.Config, argument: str) -> list[str]:
    """An id as lists and reports write it, without size and device, as this session calls it."""
    devices = selected_devices(config)
    if "::" not in argument or argument.endswith(tuple(f"-{d}]" for d in devices)):
        return [argument]
    size = config.getoption("--size")
    names = [nodeid_on(argument, device, size) for device in devices] or [sized(argument, size)]
    return names if "[" in argument else [argument]


def selected_devices(config: pytest.Config) -> list[str]:
    """Devices named on the command line, in order, once each."""
    names = [n.strip() for value in config.getoption("--device") for n in value.split(",")]
    return list(dict.fromkeys(device_named(name) for name in names if name))


def pytest_sessionstart() -> None:
    """Take away what sessions that were killed left in the temporary directory."""
    if XDIST_WORKER_VARIABLE not in os.environ:
        sweep()


def pytest_collection(session: pytest.Session) -> None:
    """Have the device opened by its own process while this one imports models to test on it."""
    config = session.config
    names = selected_devices(config) or [default_device()]
    alone = config.getoption("dist", "no") == "no" and not hasattr(config, "workerinput")
    recorded = RUN_DIR_VARIABLE in os.environ
    if recorded and alone and len(names) == 1 and not config.option.collectonly:
        device(names[0]).start()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse two tests that would be one on record; spare the collector what imports left."""
    config = session.config
    if RUN_DIR_VARIABLE in os.environ and not config.option.collectonly:
        config.stash[_twins] = _twins_among(session.items)
        if config.stash[_twins] and not hasattr(config, "workerinput"):
            raise pytest.UsageError(next(iter(config.stash[_twins].values())))
    gc.freeze()  # from now on, a million objects


def _twins_among(items: list[pytest.Item]) -> dict[str, str]:
    """By id of each test that would be one on record with another, the sentence that says so."""
    known: dict[str, pytest.Item] = {}
    found: dict[str, str] = {}
    for item in items:
        key = _identity(item).key
        other = known.setdefault(key, item)
        if other is not item:
            sentence = same_test(other.nodeid, item.nodeid, key)
            found |= {other.nodeid: sentence, item.nodeid: sentence}
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a twin where its session cannot be: a worker of xdist that ends is a crash."""
    if sentence := item.config.stash.get(_twins, {}).get(item.nodeid):
        raise UsageError(sentence)


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One or two more parameters, after the test's own: the size, then the device."""
    size = metafunc.config.getoption("--size")
    names = selected_devices(metafunc.config)
    if size != SIZES[0]:
        metafunc.fixturenames.append(SIZE_PARAMETER)
        metafunc.parametrize(SIZE_PARAMETER, [size], indirect=True)
    if names:
        metafunc.fixturenames.append(DEVICE_PARAMETER)
        metafunc.parametrize(DEVICE_PARAMETER, names, indirect=True)


@pytest.fixture
def bringup_device(request: pytest.FixtureRequest) -> str:
    """The device this test runs on."""
    return str(getattr(request, "param", default_device()))


@pytest.fixture
def bringup_size(request: pytest.FixtureRequest) -> str:
    """The size models are built at."""
    return str(getattr(request, "param", SIZES[0]))


def default_device() -> str:
    """Where a test runs that names no device."""
    return os.environ.get(DEVICE_VARIABLE, DEFAULT_DEVICE)


def device_of(item: pytest.Item) -> str:
    """The device of a collected test."""
    callspec = getattr(item, "callspec", None)
    if callspec is not None and DEVICE_PARAMETER in callspec.params:
        return str(callspec.params[DEVICE_PARAMETER])
    return default_device()


def _identity(item: pytest.Item) -> Identity:
    return identity_of_item(item, device_of(item), item.config.getoption("--size"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Open the test's record before anything of it runs, and end it whatever happened."""
    item.stash[_outcomes] = []
    if item.nodeid in item.config.stash.get(_twins, {}):
        return (yield)  # it is refused, and off the record
    announce_test(_identity(item), item.nodeid, entry_of_item(item))
    if os.environ.get(RUN_DIR_VARIABLE):
        open_test()
    try:
        with settings.restored() as item.config.stash[_settings]:
            return (yield)
    finally:
        recorder = current_test()
        if recorder is not None:
            _end(recorder, item.stash[_outcomes])
            if recorder.ops.total:
                item.config.stash[_op_tallies][recorder.key] = recorder.ops
            close_large()
        forget_test()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """What a fixture of several tests sets is not set back after the first of them."""
    if fixturedef.scope == "function":
        return (yield)
    before = settings.read()
    value = yield
    after = settings.read()
    names = settings.changed(before, after)
    request.config.stash[_set_by_fixtures][id(fixturedef)] = names
    settings.take(request.config.stash[_settings], names, after)
    return value


def pytest_fixture_post_finalizer(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> None:
    """What such a fixture set back itself is so from now on."""
    names = request.config.stash[_set_by_fixtures].pop(id(fixturedef), set())
    if names:
        settings.take(request.config.stash[_settings], names, settings.read())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember how each phase went; fail a test whose mismatch nobody raised."""
    recorder = current_test()
    if call.when == "call":
        if recorder is not None:
            note_shown(recorder, item.user_properties)
        item.user_properties[:] = without_pictures(item.user_properties)
    report = yield
    if call.when == "call" and report.passed and recorder is not None:
        unraised = [said for share in recorder.testers for said in share.unraised]
        nothing = recorder.says_nothing()
        if unraised or nothing:
            said = f"finalize() was not called: {unraised[0]}" if unraised else nothing
            report.outcome, report.longrepr = "failed", said
    if call.excinfo is not None and recorder is not None and not report.skipped:
        _note_failure(recorder, call.excinfo.value)
    if call.excinfo is not None and isinstance(call.excinfo.value, UsageError):
        report.longrepr = said_by(call.excinfo.value)  # a person's slip is no place in our code
        report.sections = []
    item.stash[_outcomes].append(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, Any]:
    """A worker of xdist dies of a report that it cannot send: have every one sendable."""
    return plain((yield))


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """So it does of a warning."""
    if isinstance(warning_message.message, Warning):
        said = said_by(warning_message.message)
        if said != _plainly(warning_message.message):
            warning_message.message = UserWarning(said)


def _plainly(warning: Warning) -> str | None:
    """What it says if that can be written as it is."""
    try:
        return str(warning).strip()
    except Exception:
        return None


def _note_failure(recorder: "TestRecorder", error: BaseException) -> None:
    """What a test body raised after its testers were done is judged by the checker."""
    worst = recorder.worst()
    if isinstance(error, UnverifiedError) and worst is not None:
        return
    if worst is not None and not _may_be_bettered(worst):
        return
    no_golden = [share.no_golden for share in recorder.testers if share.no_golden]
    if worst is not None and no_golden:  # it tripped over outputs that are not there
        recorder.outcome, recorder.failure = Outcome.FAILED, no_golden[0]
        return
    wrong = worst is not None and isinstance(error, AssertionError | IncorrectResultError)
    # a checker that refuses the golden's own outputs says nothing of a device
    golden = recorder.testers and all(share.gave_golden for share in recorder.testers)
    recorder.outcome = Outcome.INCORRECT if wrong and not golden else outcome_of(error)
    recorder.failure = failure_of(error, None, recorder.run.artifacts)


def _may_be_bettered(worst: "TestRecorder") -> bool:
    """May what a test's body says add to the worst outcome so far?"""
    if worst.outcome is Outcome.UNVERIFIED:
        return worst.failure is not None and worst.failure.kind == NOTHING_COMPARED
    return worst.outcome in GOOD


def _end(recorder: "TestRecorder", reports: list[pytest.TestReport]) -> None:
    skipped = next((r for r in reports if r.skipped), None)
    if skipped is not None and recorder.worst() is None:
        reason = skipped.longrepr[2] if isinstance(skipped.longrepr, tuple) else skipped.longrepr
        said = writable(str(reason))[:MESSAGE_LIMIT]
        recorder.end(Outcome.SKIPPED, Failure(None, "Skipped", said))
        return
    if not reports:
        recorder.end(Outcome.KILLED, Failure(None, "KILLED", "interrupted while it ran"))
        return
    passed = all(report.passed for report in reports)
    if recorder.worst() is None and not passed and not recorder.idle():
        recorder.outcome = Outcome.FAILED
    recorder.close_run()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put what the ops came to into words; a worker of xdist leaves them to its controller."""
    tallies = session.config.stash[_op_tallies]
    if tallies:
        directory = current_run().directory
        said = {report_command(directory): list(summary(tallies, directory))}
        session.config.stash[_said_of_ops].update(said)
        getattr(session.config, "workeroutput", {})[_WORKERS_WORD] = said


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take up what a worker of xdist says; one that died says nothing."""
    said = node.config.stash[_said_of_ops]
    for report, lines in getattr(node, "workeroutput", {}).get(_WORKERS_WORD, {}).items():
        said.setdefault(report, []).extend(lines)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the ops came to, and how to read on."""
    for report, lines in config.stash[_said_of_ops].items():
        terminalreporter.ensure_newline()
        terminalreporter.section("op by op")
        for line in (*lines, f"report: {report}"):
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the session: hosts and op workers of this process, which then ends without delay."""
    session = config.stash.get(_session, None)
    if session is not None:  # else configuring failed before it began
        session.end()
    gc.freeze()  # else the interpreter, on its way out, searches every graph for cycles for seconds
