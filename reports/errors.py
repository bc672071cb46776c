# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The one exception class of the room."""

from bringup.harness.errors import HarnessError


class ReportError(HarnessError):
    """A report cannot be built; the message says from what and what to do."""
