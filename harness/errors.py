# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The harness's one exception base class; every message is a sentence for a person."""


class HarnessError(Exception):
    """Something a person must mend. The message says what, where and what to do."""


class DeviceError(HarnessError):
    """The device cannot be opened or stopped answering: the machine's fault, not a model's."""


class UsageError(HarnessError):
    """A wrong option, name or combination; nothing was run."""


class RecordError(HarnessError):
    """A record cannot be written, read or trusted."""


class StorageError(RecordError):
    """A record cannot be written, or what was written is lost: the machine's fault, not the
    input's."""


class FileError(HarnessError):
    """A file that a model needs is nowhere to be had: the machine's fault, not the model's."""


class IncorrectResultError(HarnessError):
    """The model ran and an asserted check did not hold; raised only by `finalize()`."""


class DoesNotFitError(HarnessError):
    """A program needs more memory than its device has."""

    kind = "DOES_NOT_FIT"

    def __init__(self, message: str, diagnostic: str = "") -> None:
        super().__init__(message)
        self.diagnostic = diagnostic


class UnverifiedError(HarnessError):
    """The model ran, and nothing can be said of it; raised only by `finalize()`."""
