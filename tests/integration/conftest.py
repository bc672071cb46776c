# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

collect_ignore = ["miniature"]  # run by tests, as a user would run them, never collected as tests
