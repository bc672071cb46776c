# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""pytest plugin that writes what was collected as JSON; :mod:`bringup.pipeline.planning.collect`
reads it.
"""

import os
import signal
from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.records.collected import (
    EXPECTED,
    LEFT_OUT,
    identity_of_item,
    needs_of_item,
)
from bringup.harness.records.schema import DeclaredNeeds
from bringup.harness.records.values import BASE_SIZE
from bringup.harness.records.variable_names import PARENT_VARIABLE
from bringup.harness.storage.writable import encoded, said_by, writable
from bringup.pipeline.lifeline import die_with_parent
from bringup.pipeline.planning.collected_json import IMPORTING_SUFFIX, OPTION, CollectedJson
from bringup.pipeline.planning.collection_cache import imported_from_elsewhere
from bringup.pipeline.planning.read_elsewhere import ReadElsewhere


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.addoption(OPTION, metavar="FILE", help="write the collected ids and errors as JSON")


READ = pytest.StashKey[ReadElsewhere]()


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Watch what is read from the first conftest on."""
    early_config.stash[READ] = ReadElsewhere()
    early_config.stash[READ].watch()


def pytest_configure(config: pytest.Config) -> None:
    """Start listening."""
    target = config.getoption(OPTION)
    if target:
        die_with_parent(int(os.environ[PARENT_VARIABLE]), signal.SIGKILL)
        config.pluginmanager.register(Listener(Path(target), config.stash[READ]))


class Listener:
    """Hooks of the collecting process."""

    def __init__(self, target: Path, read: ReadElsewhere) -> None:
        self._target, self._read = target, read
        self._found = CollectedJson()

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """Pass over what no id can name, and folders without an end."""
        within = collection_path.is_relative_to(config.rootpath)
        shown = collection_path.relative_to(config.rootpath) if within else collection_path
        why = _unnameable(shown) or _endless(collection_path)
        if not why:
            return None
        self._found.broken[writable(str(shown))] = why
        return True

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Write ahead which file is about to be imported: the import may end this process."""
        if isinstance(collector, pytest.Module):
            importing = self._target.with_suffix(IMPORTING_SUFFIX)
            importing.write_text(writable(collector.nodeid), "utf-8")

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]
    ) -> None:
        """Note why a file could not be collected."""
        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            error = call.excinfo.value.__cause__ or call.excinfo.value
            words = said_by(error).splitlines()
            file = node.nodeid.partition("::")[0]
            self._found.broken[file] = f"{type(error).__name__}: {words[0]}"

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was collected."""
        self._found.ids = [item.nodeid for item in session.items]
        self._found.identities = [
            identity_of_item(item, device="", size=BASE_SIZE) for item in session.items
        ]
        # Nobody reads this process's output, and for its summary hypothesis's plugin, where it is
        # installed, imports all of hypothesis: a second, before the first test of every run.
        plugins = session.config.pluginmanager
        if plugins.has_plugin("terminalreporter"):
            plugins.unregister(name="terminalreporter")
        for item in session.items:
            try:
                needs = needs_of_item(item)
            except UsageError as error:
                self._found.broken[item.nodeid.partition("::")[0]] = str(error)
            else:
                if needs != DeclaredNeeds():
                    self._found.needs[item.nodeid] = needs
            if expected := item.stash.get(EXPECTED, {}):
                self._found.expected[item.nodeid] = dict(expected)
        left_out: dict[str, str] = session.config.stash.get(LEFT_OUT, {})
        self._found.left_out |= left_out

    def pytest_unconfigure(self) -> None:
        """Hand over."""
        made_of = {*imported_from_elsewhere(), *self._read.paths}
        self._found.made_of = [writable(file) for file in sorted(made_of)]
        self._target.write_bytes(encoded(self._found))


def _unnameable(path: Path) -> str:
    """Why no session can be asked for the tests below a path; empty when it can.

    A worker of xdist dies of an id that is not UTF-8, and a controller that is given a file with a
    bracket in its name collects nothing at all: it takes the rest for parameters.
    """
    name = str(path)
    if writable(name) != name:
        return "its name is not UTF-8; rename it"
    mark = next((mark for mark in ("[", "::") if mark in name), "")
    return f"pytest takes no name with `{mark}`; rename it" if mark else ""


def _endless(path: Path) -> str:
    """Why a folder is not gone into: it is a link back to where it lies; empty for others."""
    try:
        if (
            path.is_symlink()
            and path.is_dir()
            and path.parent.resolve().is_relative_to(path.resolve())
        ):
            return "it is a link that leads back to a folder above it"
    except OSError as error:
        return f"{error.strerror}"
    return ""
