# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Where `bringup` begins: it needs nothing but Python, to say so where a library is not there."""

import sys


def main() -> int:
    """Run the command line; a dependency that cannot be imported is a sentence and exit code 1."""
    try:
        from bringup.command.cli import main as begin
    except ImportError as error:
        print(
            f"bringup: {error}: what it needs is not installed whole for {sys.executable}; "
            "`pip install --force-reinstall --no-deps bringup` and `pip install bringup` mend it",
            file=sys.stderr,
        )
        return 1
    return begin()
