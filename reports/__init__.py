# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Reports: records in, documents out. Reads, never decides.

`model` turns a merged run into the values that every format shows, `text` has the words and numbers
of all of them. A format is a module in `formats` (`reporter` is the contract, `catalog` the
registry); what it writes with stands beside: `html`, `xlsx`, `markdown`, `ops_json`. `build` calls
one after the other, `terminal` says what came of it, `cli` is the door. Imports of this room look
down to `bringup.harness.records` and what that stands on, and nowhere else.
"""
