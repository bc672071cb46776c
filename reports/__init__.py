# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reports: records in, documents out. Reads, never decides.

`summary` turns a merged run into the values that every reporter shows; `xlsx`, `html` and
`terminal` each write them in one format; `build` calls all three; `cli` is the door. Imports
of this room look down to `bringup.harness.records` and nowhere else.
"""
