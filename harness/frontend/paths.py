# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Paths of what a call writes to, by which a program's values and the golden's find each other."""

from typing import Any

from torch.utils import _pytree as pytree

MUTATED = "mutated."
"""Paths of what forward wrote begin so: `mutated.buffers.bn.running_mean`,
`mutated.inputs[0]`."""
BUFFERS, PARAMETERS, INPUTS = "buffers.", "parameters.", "inputs"


def input_paths(call: tuple[tuple[Any, ...], dict[str, Any]]) -> list[tuple[str, Any]]:
    """A call's leaves in pytree's order, each with its path."""
    try:
        found, _ = pytree.tree_flatten_with_path(call)
    except ValueError:  # some container of somebody's gives its leaves without their names
        return [(f"{INPUTS}[leaf {i}]", leaf) for i, leaf in enumerate(pytree.tree_leaves(call))]
    return [(INPUTS + "".join(map(_step, keys[1:])), leaf) for keys, leaf in found]


def _step(key: Any) -> str:
    name = getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))
    return f".{name}" if isinstance(name, str) and name.isidentifier() else f"[{name!r}]"
