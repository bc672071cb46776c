# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The run that a session's tests are recorded in: a directory, a journal, artifacts.

The directory comes from `BRINGUP_RUN_DIR`; without one, the first test that has something to record
opens `results/local-<time>-<pid>`.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from bringup.harness.devices.catalog import distributions
from bringup.harness.errors import UsageError
from bringup.harness.records import provenance
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.journal import JournalWriter
from bringup.harness.records.naming import same_test
from bringup.harness.records.variable_names import RUN_DIR_VARIABLE, RUN_ID_VARIABLE
from bringup.harness.session import current


class Run:
    """This process's journal and artifacts in a run directory."""

    def __init__(self, directory: Path, run_id: str, seed: int = 0) -> None:
        self.directory = directory.absolute()  # a model may change the working directory
        self.run_id = run_id
        collected = provenance.collect(seed, distributions())
        self.journal = JournalWriter(self.directory, run_id, collected)
        self.artifacts = ArtifactStore(self.directory)
        self.pid = os.getpid()
        self.started = time.time()
        self._nodeids: dict[str, str] = {}

    def refuse_twin(self, key: str, nodeid: str) -> None:
        """Note whose record a key is.

        Raises:
            UsageError: another test of this process has that key.
        """
        other = self._nodeids.setdefault(key, nodeid)
        if other != nodeid:
            raise UsageError(same_test(other, nodeid, key))


class OpenRun:
    """The run of a session."""

    def __init__(self) -> None:
        self.begun_in = Path()
        """Where the test that runs began: a run is not opened where a model has gone to since."""
        self._run: Run | None = None

    def opened(self) -> Run:
        """The run, opened on first use."""
        if self._run is None:
            directory = os.environ.get(RUN_DIR_VARIABLE)
            if directory is None:
                stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
                directory = f"results/local-{stamp}-{os.getpid()}"
            run_id = os.environ.get(RUN_ID_VARIABLE, Path(directory).name)
            self._run = Run(self.begun_in / directory, run_id)
        return self._run

    def close(self) -> None:
        """Close the journal."""
        if self._run is not None:
            self._run.journal.close()


def current_run() -> Run:
    """The run of this session, opened on first use."""
    return current().get(OpenRun).opened()
