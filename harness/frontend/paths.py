# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Paths of what a call writes to, by which a program's values and the golden's find each other.

`mutated.buffers.bn.running_mean`, `mutated.parameters.scale`, `mutated.inputs.x` (by the name that
`forward` gives it), `mutated.inputs.cache[0].k`.
"""

MUTATED = "mutated."
BUFFERS, PARAMETERS, INPUTS = "buffers.", "parameters.", "inputs."
