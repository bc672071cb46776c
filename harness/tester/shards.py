# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""How the weights of a model are divided over a mesh of chips.

What is divided changes where a number is computed and never which: a program's results are whole on
every chip, so each of them is compared as those of one chip are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from bringup.harness.errors import UsageError
from bringup.harness.frontend.program import Constant, Signature

Spec = Mapping[Any, Sequence[str | None]]
"""By weight (the tensor itself, or its name) the axis of each dimension; None: it is whole."""


def shards_of(
    signature: Signature, model: torch.nn.Module, mesh: Sequence[tuple[str, int]], spec: Spec
) -> dict[int, tuple[str, ...]]:
    """By place of a program's argument, the axis of a mesh that divides each dimension.

    A weight that the program does not take as it is, as it was folded into a constant, stays whole.

    Raises:
        UsageError: `spec` names what is no weight of the model, an axis that there is not, or
            divides what cannot be divided.
    """
    if not isinstance(spec, Mapping):
        raise UsageError(f"shards: axes by weight are wanted, and not {spec!r}")
    by_name = _by_name(model, spec)
    for name, (shape, divided) in by_name.items():
        _check(name, shape, divided, dict(mesh))
    return {
        place: tuple(axis or "" for axis in by_name[argument.name][1])
        for place, argument in enumerate(signature.arguments)
        if isinstance(argument, Constant)
        and argument.name in by_name
        and tuple(argument.value.shape) == by_name[argument.name][0]
    }


def _by_name(
    model: torch.nn.Module, spec: Spec
) -> dict[str, tuple[tuple[int, ...], Sequence[str | None]]]:
    """Shape and axes by every name that a weight has: tied ones go by any of them."""
    held: list[tuple[str, torch.Tensor]] = [
        *model.named_parameters(remove_duplicate=False),
        *model.named_buffers(remove_duplicate=False),
    ]
    known = dict(held)
    found: dict[str, tuple[tuple[int, ...], Sequence[str | None]]] = {}
    for weight, divided in spec.items():
        if isinstance(weight, str) and weight not in known:
            raise UsageError(f"shards: the model has no weight {weight!r}")
        if isinstance(divided, str) or not isinstance(divided, Sequence):
            raise UsageError(f"shards: {divided!r} is no axis for each dimension of a weight")
        tensor = known[weight] if isinstance(weight, str) else weight
        names = [name for name, each in held if each is tensor]
        if not names:
            raise UsageError("shards: a tensor is divided that is no weight of the model")
        found |= dict.fromkeys(names, (tuple(tensor.shape), tuple(divided)))
    return found


def _check(
    name: str, shape: tuple[int, ...], divided: Sequence[str | None], axes: Mapping[str, int]
) -> None:
    if len(divided) != len(shape):
        raise UsageError(f"shards: {name} has {len(shape)} dimensions, {len(divided)} are said")
    for size, axis in zip(shape, divided, strict=True):
        if axis and axis not in axes:
            raise UsageError(f"shards: {name} is divided over {axis!r}; axes are {', '.join(axes)}")
        if axis and size % axes[axis]:
            raise UsageError(
                f"shards: {size} of {name} cannot be divided among the {axes[axis]} of {axis!r}"
            )
    named = [axis for axis in divided if axis]
    if len(named) != len(set(named)):
        raise UsageError(f"shards: {name} is divided over {named[0]!r} twice")
