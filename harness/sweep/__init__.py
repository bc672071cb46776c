# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The op sweep: generated cases of single ATen ops, run by the machinery that takes models apart.

A case is one call of one op: dtypes, shapes, values and layouts that reach other code of a
compiler than models do. `rows` of a table say which; `catalog` makes the cases of an op;
`tester` runs them.
"""
