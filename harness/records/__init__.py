# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Records: the only thing that crosses a wall between rooms.

`schema` says what a record is, `journal` writes and reads events durably, `fold` turns events
into one record per test, `artifacts` keeps texts by content, `provenance` says with what.
"""
