# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What `nox -s bench -- op_by_op` measures; `parts` is where it begins.

Nothing is imported here: the baseline's processes import this package, thousands of times.
"""
