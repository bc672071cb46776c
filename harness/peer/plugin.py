# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What tt-torch's users give pytest: options and fixtures, where no conftest of theirs has them."""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bringup.harness.config import OpByOpBackend
from bringup.harness.device_host.usage import Meter
from bringup.harness.errors import UsageError
from bringup.harness.peer import finder
from bringup.harness.peer.overlay import beside, overlay_of
from bringup.harness.records.variable_names import MODELS_VARIABLE
from bringup.harness.records.variables import VARIABLES

T = TypeVar("T")
_OF_FLOWS = {
    "--op_by_op_torch": OpByOpBackend.TORCH,
    "--op_by_op_stablehlo": OpByOpBackend.STABLEHLO,
}
_BACKEND = "bringup.harness.peer.backend"
"""Asked only where a test has it imported: it takes PyTorch with it."""
_OURS = pytest.StashKey[bool]()
"""Did no conftest of theirs bring the options?"""
_memory = pytest.StashKey[list[str]]()
"""A line for each test, of one that is asked for its memory."""
IMPORTS_NOTHING = pytest.StashKey[bool]()
"""Of a module of tests: it is collected without importing what it tests."""
_entered = pytest.StashKey[contextlib.ExitStack]()
"""The overlay that a test runs in."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option that no conftest of theirs has, and the finder, before any is loaded."""
    parser.getgroup("bringup").addoption(
        "--models",
        action="append",
        default=[],
        metavar="DIR",
        help="a repository of loaders in the shape of tt-forge-models, for tests that import"
        " third_party.tt_forge_models; its loaders are tests; repeat for more",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser
) -> Iterator[None]:
    """Have their modules found while their conftest is loaded; then add what it did not."""
    named = early_config.known_args_namespace.models
    try:
        models = [Path(name) for name in named] or VARIABLES[MODELS_VARIABLE].read()
        finder.install(models or ())
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    result = yield
    early_config.stash[_OURS] = _add_options(parser)
    return result


def _add_options(parser: pytest.Parser) -> bool:
    group = parser.getgroup("tt-torch", "options that tt-torch's users know")
    try:
        for flag, backend in _OF_FLOWS.items():
            says = f"only tests whose op_by_op is {backend.name}"
            group.addoption(flag, action="store_true", default=False, help=says)
        group.addoption(
            "--crashsafe",
            action="store_true",
            default=False,
            help="one test whose results survive a crash, as those of every test do here",
        )
        for flag in ("--log-memory", "--log-memory-usage"):
            group.addoption(
                flag,
                action="store_true",
                default=False,
                help="print each test's largest memory; it is on its record in any case",
            )
    except (ValueError, argparse.ArgumentError):  # their own conftest has them
        return False
    for flag, metavar in (("--splits", "N"), ("--group", "I")):
        with contextlib.suppress(ValueError, argparse.ArgumentError):  # pytest-split has them
            group.addoption(flag, type=int, metavar=metavar, help="the I-th of N groups of tests")
    return True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what the options ask for."""
    if not config.stash.get(_OURS, False):
        return
    wanted = [b for flag, b in _OF_FLOWS.items() if config.getoption(flag)]
    if wanted:
        _keep(config, items, [i for i in items if _flow(i) in wanted])
    if config.getoption("--crashsafe") and len(items) > 1:
        raise pytest.UsageError(f"--crashsafe takes one test, and {len(items)} were collected")
    if not config.pluginmanager.has_plugin("pytest-split"):
        _keep_group(config, items)


def _keep_group(config: pytest.Config, items: list[pytest.Item]) -> None:
    splits, group = config.getoption("--splits"), config.getoption("--group")
    if splits is None and group is None:
        return
    if splits is None or group is None or not 1 <= group <= splits:
        raise pytest.UsageError("--splits N and --group I go together, with I from 1 to N")
    _keep(config, items, list(group_of(items, splits, group)))


def group_of(items: Sequence[T], splits: int, group: int) -> Sequence[T]:
    """The group, from 1, of as many as `splits`; sizes differ by one at most."""
    size, more = divmod(len(items), splits)
    start = (group - 1) * size + min(group - 1, more)
    return items[start : start + size + (group <= more)]


def _keep(config: pytest.Config, items: list[pytest.Item], kept: list[pytest.Item]) -> None:
    dropped = [item for item in items if item not in set(kept)]
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test's memory, where that is asked for; end what it has compiled itself."""
    try:
        return (yield from _measured(item))
    finally:
        if backend := sys.modules.get(_BACKEND):
            backend.end_test()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Say of a body that trains through `torch.compile` why it cannot."""
    try:
        return (yield)
    except RuntimeError as error:
        if backend := sys.modules.get(_BACKEND):
            backend.refuse_backward(error)
        raise


def _measured(item: pytest.Item) -> Iterator[None]:
    if not _logs_memory(item.config):
        return (yield)
    meter = Meter()
    try:
        return (yield)
    finally:
        *_, peak = meter.read()
        said = f"{item.nodeid}: at most {peak / 2**20:.0f} MiB"
        item.config.stash.setdefault(_memory, []).append(said)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was measured."""
    if said := config.stash.get(_memory, []):
        terminalreporter.section("memory")
        for line in said:
            terminalreporter.write_line(line)


def _logs_memory(config: pytest.Config) -> bool:
    options = ("--log-memory", "--log-memory-usage")
    return config.stash.get(_OURS, False) and any(map(config.getoption, options))


def _flow(item: pytest.Item) -> Any:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("op_by_op")


@pytest.fixture(scope="module")
def manage_dependencies(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a file's `dependencies` name, for its tests; see `harness/peer/overlay.py`."""
    wanted = tuple(getattr(request.module, "dependencies", ()))
    with overlay_of(wanted, Path(request.module.__file__ or ".")):
        yield


@pytest.fixture
def use_xla_spmd_environment() -> None:
    """Refused: it is a tester that says how weights are divided."""
    from bringup.harness.peer.functions import setup_xla_spmd_environment

    setup_xla_spmd_environment()


def pytest_unconfigure() -> None:
    """Their modules are found no more."""
    finder.remove()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """A file is imported with what stands in the requirements.txt beside it."""
    with _overlay(collector):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """So are its tests run."""
    entered = item.stash[_entered] = contextlib.ExitStack()
    entered.enter_context(_overlay(item))
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """And it is undone after each."""
    try:
        return (yield)
    finally:
        if _entered in item.stash:
            item.stash[_entered].close()


def _overlay(node: pytest.Collector | pytest.Item) -> contextlib.AbstractContextManager[None]:
    if not isinstance(node, pytest.Module | pytest.Item) or IMPORTS_NOTHING in node.stash:
        return contextlib.nullcontext()
    wanted = beside(node.path)
    return overlay_of(wanted, node.path) if wanted else contextlib.nullcontext()
