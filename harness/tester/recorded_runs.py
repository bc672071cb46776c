# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a tester puts on record of itself: a share of its test for each run, and its names."""

from collections.abc import Callable

from bringup.harness.devices.catalog import DEFAULT_DEVICE
from bringup.harness.recording.current_test import open_test
from bringup.harness.recording.recorder import TesterRecorder, TestRecorder
from bringup.harness.records.naming import identity_of
from bringup.harness.tester.judged_runs import JudgedRuns
from bringup.harness.tester.model_runs import SEED
from bringup.harness.verify import Tolerances


class RecordedRuns(JudgedRuns):
    """A model each of whose runs is a share of its test's record."""

    framework: str
    model_group: str
    issue: str | None
    """Address of the issue that tracks a disabled check."""
    tolerances: Tolerances
    _record_property: Callable[[str, object], None] | None
    """pytest's, for the JUnit file."""
    _recorders: list[TesterRecorder]
    """One a run."""
    _hints: list[str]
    """What the error that is raised says below its own words."""

    def _open_recorder(self) -> TesterRecorder:
        current = open_test(self._device_name)
        if current is not None and not current.ended:
            return current.share(self.model_name, self._device_name)
        device_name = self._device_name or DEFAULT_DEVICE
        suffix = "_onnx" if self.framework == "onnx" else ""
        entry = f"{self.model_name}{suffix}[full-{self.mode}]"
        return TestRecorder(identity_of(entry, device_name), nodeid="").share(self.model_name)

    def _describe(self) -> None:
        self.recorder.describe(
            model_name=self.model_name,
            model_group=self.model_group,
            mode=self.mode,
            depth=self.compiler_config.compile_depth.name,
            parameters=None,
            seed=SEED,
            assertions=self.tolerances.spelled(),
            notes=(self.issue,) if self.issue else (),
        )

    def _report_properties(self) -> None:
        if self._record_property is None:
            return
        self._record_property("model_name", self.model_name)
        self._record_property("device", self.device_name)
        self._record_property("status", self.recorder.status.name)
        outcome = self.recorder.outcome
        self._record_property("outcome", outcome.value if outcome else "")

    def _begin_record(self) -> None:
        """Another run takes nothing back of what the one before found, in the same test."""
        test = open_test(self._device_name) or self.recorder.test
        if test is not self.recorder.test:  # a tester of several tests
            self._recorders = []
        if not any(recorder.unraised for recorder in self._recorders):
            self.mismatches, self._unverified = [], ""
        if not self._recorders or self.recorder.outcome is not None:
            self.recorder = test.share(self.model_name, self._device_name)
            self._recorders.append(self.recorder)

    def _give_hints(self, error: BaseException) -> None:
        """Have the error say, below its own words, what else is known and how to go on."""
        for note in self._hints:
            error.add_note(note)
