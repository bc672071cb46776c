# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import signal

collect_ignore = ["miniature"]  # run by tests, as a user would run them, never collected as tests

# a suite started in the background of a shell inherits "ignore SIGINT", and so would every run here
signal.signal(signal.SIGINT, signal.default_int_handler)
