# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What passes between the command line and the pytest that collects for it, without pytest: the
command line starts in half the time.
"""

import msgspec

from bringup.harness.records.schema import DeclaredNeeds, Expectation, Identity

OPTION = "--bringup-collect"
IMPORTING_SUFFIX = ".importing"


class CollectedJson(msgspec.Struct):
    """The file's content."""

    ids: list[str] = []
    identities: list[Identity] = []
    """What each of `ids` is, on no device."""
    needs: dict[str, DeclaredNeeds] = {}
    """By id, of those that need more than a device."""
    expected: dict[str, dict[str, Expectation]] = {}
    """By id, by device, what a repository of loaders expects; the empty name: of all others."""
    left_out: dict[str, str] = {}
    """By repository of loaders, a sentence on those that become no tests."""
    broken: dict[str, str] = {}
    """Test file to what was raised while it was imported."""
    made_of: list[str] = []
    """Files of all modules that are no installed distribution's, and the files and folders that
    code of the tests read."""
