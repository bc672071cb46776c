# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Imported where runs are forked off: it knows the content of what is installed, and so do they.

A run with an empty cache would read it all: two to four seconds of processor each.
"""

from pathlib import Path

from bringup.harness.builds.code import lowering_code
from bringup.harness.builds.sources import SourceFolders
from bringup.harness.devices.toolchain import toolchain_of

READ = (
    SourceFolders([Path(__file__).parents[2]]).digests,
    lowering_code(),
    *map(toolchain_of, ("cpu", "n150", "iree-cpu")),
)
