# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of several files. What a test does not ask for is not imported: torch takes seconds."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from bringup.harness.device_host.op_pool import OpPool
    from bringup.harness.mlir import TorchMlir
    from bringup.harness.recording.recorder import TestRecorder

collect_ignore = [
    "miniature",
    "peer_checkout",
]  # run by tests, as a user would run them, never collected as tests

# a suite started in the background of a shell inherits "ignore SIGINT", and so would every run here
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[TestRecorder]":
    """The record of a test on `cpu`, in a run directory of its own."""
    from bringup.harness.recording.recorder import TestRecorder
    from bringup.harness.records.naming import identity_of
    from bringup.harness.session import begin

    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path))
    with begin():
        yield TestRecorder(identity_of("x.py::test_x[full-eval]", "cpu"), "x.py::test_x")


@pytest.fixture(scope="module")
def mlir() -> "TorchMlir":
    from bringup.harness.mlir import TorchMlir

    return TorchMlir()


@pytest.fixture
def no_process_left() -> Iterator[None]:
    """Processes that a test starts end with it."""
    this = psutil.Process()
    before = {process.pid for process in this.children(recursive=True)}
    yield
    assert [p for p in this.children(recursive=True) if p.pid not in before] == []


@pytest.fixture(scope="module")
def interpreter() -> "Iterator[OpPool]":
    """A worker of the reference interpreter."""
    from bringup.harness.device_host.op_pool import OpPool

    with OpPool("interpreter", 1) as pool:
        yield pool
