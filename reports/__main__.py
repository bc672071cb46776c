# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`python -m bringup.reports`."""

import sys

from bringup.reports.cli import main

sys.exit(main())
