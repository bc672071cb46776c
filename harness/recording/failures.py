# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an exception says of a test: its outcome, and its failure in the compiler's own words."""

from bringup.harness.devices.failures import HostCrash, HostTimeout
from bringup.harness.errors import (
    DeviceError,
    DoesNotFitError,
    FileError,
    HarnessError,
    IncorrectResultError,
    RecordError,
    UnverifiedError,
    UsageError,
)
from bringup.harness.records.artifacts import ArtifactStore
from bringup.harness.records.machine_faults import is_machines_error
from bringup.harness.records.schema import Failure, Outcome, Stage
from bringup.harness.storage.writable import MESSAGE_LIMIT, said_by, trace_of

NOTHING_COMPARED = "NothingCompared"
"""Kind of failure of a test that says nothing, since there was nothing to be wrong."""
LOST_AT_EXPORT = "LostAtExport"
"""Kind of failure of a test whose exported program is not its model, on no device."""
NON_DETERMINISTIC = "NonDeterministic"
"""Kind of failure of a test whose model gave two results for one call."""


def outcome_of(error: BaseException) -> Outcome:
    """The terminal outcome for an exception that ended a test."""
    if isinstance(error, IncorrectResultError):
        return Outcome.INCORRECT
    if isinstance(error, UnverifiedError):
        return Outcome.UNVERIFIED
    if isinstance(error, DoesNotFitError):
        return Outcome.DOES_NOT_FIT
    if isinstance(error, HostTimeout):
        return Outcome.TIMEOUT
    if isinstance(error, KeyboardInterrupt):
        return Outcome.KILLED
    if not isinstance(error, UsageError) and is_machines_error(error):
        return Outcome.INFRA
    if isinstance(error, HostCrash):
        return Outcome.CRASHED
    return Outcome.FAILED


def failure_of(error: BaseException, stage: Stage | None, artifacts: ArtifactStore) -> Failure:
    """An exception as a failure: a sentence, and the whole text beside it."""
    message = said_by(error)
    if isinstance(error, UsageError | DeviceError | FileError | RecordError):
        return Failure(stage, type(error).__name__, message[:MESSAGE_LIMIT])
    ours = isinstance(error, HarnessError)  # a foreign `diagnostic` or `kind` may be anything
    diagnostic = getattr(error, "diagnostic", "") if ours else ""
    trace = trace_of(error)
    text = f"{diagnostic}\n\n{trace}" if diagnostic else trace
    kind = (getattr(error, "kind", None) if ours else None) or _kind(error)
    try:
        artifact = artifacts.put(text, "diagnostic")
    except RecordError:
        artifact = None  # a full disk must not hide why the test failed
    return Failure(stage, kind, message[:MESSAGE_LIMIT], artifact)


def _kind(error: BaseException) -> str:
    """The class a person would name: of the cause where ours only wraps it."""
    inner = error.__cause__ if isinstance(error, HarnessError) and error.__cause__ else error
    return type(inner).__name__
