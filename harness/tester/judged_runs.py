# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a tester's checks come to: an outcome on its record, and what is yet to be raised of it."""

from collections.abc import Sequence
from typing import Any

from bringup.harness.errors import HarnessError, IncorrectResultError, UnverifiedError, UsageError
from bringup.harness.recording.failures import (
    LOST_AT_EXPORT,
    NON_DETERMINISTIC,
    NOTHING_COMPARED,
    failure_of,
)
from bringup.harness.records.schema import Failure, Outcome, OutputCheck, Stage
from bringup.harness.reduce.request import SearchDone
from bringup.harness.tester.blame import BlamedRuns
from bringup.harness.verify import mismatches


class JudgedRuns(BlamedRuns):
    """A model whose checked outputs get an outcome."""

    mismatches: list[str]
    """Of all its runs that `finalize` has not raised."""
    _unverified: str

    def _leave_reproducer(self) -> None:
        raise NotImplementedError

    def _golden_for_body(self) -> Any:
        raise NotImplementedError

    def _judge(
        self, checks: Sequence[OutputCheck], nothing: str, drawn: str | None, lost: str
    ) -> None:
        """The outcome of the device's outputs, on record and yet to be raised.

        `drawn` is the op by which outputs depend on random numbers, if there is one, and `lost`
        says why what is wrong is none of the device's faults.

        Raises:
            StaleExportError: they are wrong, and the program is none of this model.
        """
        assert self._golden_run is not None
        if self._golden_run.difference:
            self._note_unverified(NON_DETERMINISTIC, self._golden_run.difference)
            return
        found = mismatches(checks)
        if found and drawn:
            self._note_unverified(
                NON_DETERMINISTIC,
                f"the model draws random numbers ({drawn}), and a device draws others than"
                f" PyTorch: {found[0]}",
            )
            return
        if lost:
            self._note_unverified(LOST_AT_EXPORT, lost)
            return
        if found:
            self._confirm_export()
        self.mismatches += found
        if found:
            self.recorder.unraised += [f"the outputs were wrong: {m}" for m in found]
            self.recorder.outcome = Outcome.INCORRECT
            artifacts = self.recorder.run.artifacts
            error = IncorrectResultError("; ".join(found[:5]))
            self.recorder.failure = failure_of(error, Stage.VERIFY, artifacts)
            self._leave_reproducer()
        elif nothing:
            self._note_unverified(NOTHING_COMPARED, nothing)
        elif self._uncompared:
            self._note_unverified(
                NOTHING_COMPARED,
                f"forward leaves {self._uncompared[0]}, which no exported program can give and"
                " nothing was compared with",
            )
        else:
            self.recorder.outcome = Outcome.PASSED

    def _draws_what_failed(self, error: BaseException) -> bool:
        """Was it a model that differs from itself, since it draws, that could not go on?

        Then what it could not do blames nobody, and stays on the record of its stage.
        """
        failed = self.recorder.failure
        if (
            self.recorder.outcome is not Outcome.FAILED
            or isinstance(error, UsageError | SearchDone)
            or failed is None
            or failed.stage in (None, Stage.LOAD, Stage.GOLDEN, Stage.VERIFY)
        ):
            return False
        try:
            self._compute_golden()
        except Exception:  # the first failure is the one to be told of
            self.recorder.failure = failed
            return False
        golden = self._golden_run
        if golden is None or not golden.difference:
            return False
        if not golden.draws and not any("random" in r.attributes for r, _ in self.recorder.results):
            return False  # `random` says so of generators that the model made itself, too
        assert failed.stage is not None
        self._note_unverified(
            NON_DETERMINISTIC,
            f"{golden.difference}; {failed.stage.value} failed besides: {failed.message}",
        )
        return True

    def _note_unverified(self, kind: str, sentence: str) -> None:
        self._unverified = sentence
        self.recorder.unraised.append(sentence)
        self.recorder.outcome = Outcome.UNVERIFIED
        self.recorder.failure = Failure(None, kind, sentence)

    def _bad_news(self) -> HarnessError | None:
        if self.mismatches:
            return IncorrectResultError("; ".join(self.mismatches[:5]))
        return UnverifiedError(self._unverified) if self._unverified else None
