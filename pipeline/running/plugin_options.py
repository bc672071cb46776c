# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Options by which a supervisor tells its pytest session what to do.

Here and not beside the plugin: a command line that starts sessions need not import pytest.
"""

PLAN_OPTION = "--bringup-plan"
TIMEOUT_OPTION = "--bringup-timeout"
CAPACITY_OPTION = "--bringup-capacity"
HOLDER_OPTION = "--bringup-holder"
SLOTS_OPTION = "--bringup-slots"
MEMORY_OPTION = "--bringup-memory"
UNTIL_OPTION = "--bringup-until"
PRELOADED_OPTION = "--bringup-preloaded"
