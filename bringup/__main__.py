# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup VERB`."""

import sys

from bringup.command.entry import main

if __name__ == "__main__":
    sys.exit(main())
