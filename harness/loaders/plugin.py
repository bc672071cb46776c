# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Finds the repositories that a pytest process is to collect, and has them collected.

Every pytest process loads this; collecting brings torch, which takes seconds, so it is imported
only where there is a repository.
"""

from pathlib import Path

import pytest

from bringup.harness.errors import UsageError
from bringup.harness.loaders.repository import Repository, repositories
from bringup.harness.records.naming import ALL_LOADERS
from bringup.harness.records.variable_names import MODELS_VARIABLE
from bringup.harness.records.variables import VARIABLES

REPOSITORIES = pytest.StashKey[tuple[Repository, ...]]()


def pytest_configure(config: pytest.Config) -> None:
    """Find the repositories."""
    named = [Path(name) for name in config.getoption("--models")]
    try:
        found = repositories(named or VARIABLES[MODELS_VARIABLE].read() or ())
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    if not found:
        config.args = [argument for argument in config.args if argument != ALL_LOADERS]
        return
    from bringup.harness.loaders import collecting

    config.stash[REPOSITORIES] = found
    config.pluginmanager.register(collecting, collecting.__name__)  # is configured at once
