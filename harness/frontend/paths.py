# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Paths of what a call writes to, by which a program's values and the golden's find each other.

`mutated.buffers.bn.running_mean`, `mutated.parameters.scale`, `mutated.inputs.x` (by the name that
`forward` gives it), `mutated.inputs.cache[0].k`, `mutated.attributes.last` for a tensor that is no
buffer. What was not there before, or is another tensor now, was left: `left.inputs.past.keys[0]`,
`left.attributes.last`.
"""

MUTATED, LEFT = "mutated.", "left."
BUFFERS, PARAMETERS, INPUTS, ATTRIBUTES = "buffers.", "parameters.", "inputs.", "attributes."
