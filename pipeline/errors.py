# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The pipeline's one exception base class; every message is a sentence for a person."""

from bringup.harness.errors import HarnessError


class PipelineError(HarnessError):
    """Something a person must mend in what the pipeline was given. Nothing was changed."""


class NothingToDo(PipelineError):
    """What was asked for is right, and there is nothing to do."""


class ListError(PipelineError):
    """A list file cannot be read, or an edit of it makes no sense."""


class HistoryError(PipelineError):
    """The store of earlier runs cannot be reached, read or trusted."""


class PolicyError(PipelineError):
    """A policy of promotion cannot be read, or a value of it is none."""
