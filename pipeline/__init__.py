# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Many models, many devices, many nights. Knows the harness only by its records.

`lists` say what should hold, `plan` makes tests of them, `run` supervises one pytest session
that runs the plan, `merge` makes one run of many shards, `promote` moves the lists.
"""
