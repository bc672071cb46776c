# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The test that a session is in: announced before it runs, on record from when it needs to be."""

import contextlib
from pathlib import Path

import msgspec

from bringup.harness.recording.recorder import TestRecorder
from bringup.harness.recording.run import OpenRun
from bringup.harness.records.naming import nodeid_on
from bringup.harness.records.schema import Identity
from bringup.harness.session import current


class RunningTest:
    """The test of a session, if it is in one."""

    def __init__(self) -> None:
        self.announced: tuple[Identity, str, str] | None = None
        """Identity, pytest id and entry."""
        self.recorder: TestRecorder | None = None
        """Its record, once that is open."""


def announce_test(identity: Identity, nodeid: str, entry: str = "") -> None:
    """A test is about to run; its record opens when somebody asks for it."""
    running = current().get(RunningTest)
    running.announced, running.recorder = (identity, nodeid, entry), None
    with contextlib.suppress(OSError):  # it was removed: the one before stays
        current().get(OpenRun).begun_in = Path.cwd()


def current_test() -> TestRecorder | None:
    """The record of the test that runs; None while it is not open."""
    return current().get(RunningTest).recorder


def open_test(device: str | None = None) -> TestRecorder | None:
    """The record of the announced test, opened if need be; None when none was announced.

    A test whose id names no device, and that nobody planned, is what its first tester says:
    `device` is the one that it is made for, if it names one.
    """
    running = current().get(RunningTest)
    if running.recorder is None and running.announced is not None:
        identity, nodeid, entry = running.announced
        if device and nodeid != nodeid_on(entry, identity.device, identity.size):
            identity = msgspec.structs.replace(identity, device=device)
        running.recorder = TestRecorder(identity, nodeid, entry)
    return running.recorder


def forget_test() -> None:
    """The test is over."""
    running = current().get(RunningTest)
    running.announced, running.recorder = None, None
