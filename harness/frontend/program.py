# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a front end hands on: a module, and how a call's arguments and results map onto it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from bringup.harness.errors import HarnessError


class SignatureError(HarnessError):
    """A call does not fit the program: wrong count, shape or kind of argument."""


@dataclass(frozen=True)
class UserInput:
    """An argument of the program that the caller gives: leaf `leaf` of the flattened call."""

    leaf: int
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Constant:
    """An argument of the program that belongs to the model: a parameter, buffer or constant."""

    name: str
    value: torch.Tensor
    parameter: bool = False


@dataclass(frozen=True)
class Result:
    """One leaf of the call's result: output `index` of the program, or a literal."""

    index: int | None
    literal: Any = None
    computed: bool = True
    """Has a device a hand in it, or is it a constant of the model (`dependence`)?"""


@dataclass(frozen=True)
class Mutation:
    """What a parameter, a buffer or an input becomes by the call: output `index` of the program."""

    path: str
    """As `bringup.harness.state.loaded` writes it, e.g. `mutated.buffers.bn.running_mean`."""
    index: int
    computed: bool = True
    """As of a `Result`."""


@dataclass(frozen=True)
class Signature:
    """How a flattened call maps onto `main`."""

    arguments: tuple[UserInput | Constant, ...]
    results: tuple[Result, ...]
    result_names: tuple[str, ...] = ()
    """Names of the program's outputs where the source names them (ONNX, gradients)."""
    mutations: tuple[Mutation, ...] = ()
    """What the call writes to; outputs of the program that its caller does not get."""

    def bind(self, leaves: Sequence[Any]) -> list[torch.Tensor]:
        """The program's arguments, in order, for a call's flattened `leaves`.

        Raises:
            SignatureError: a leaf is missing, is no tensor, or has another shape or kind.
        """
        bound = []
        for argument in self.arguments:
            if isinstance(argument, Constant):
                bound.append(argument.value)
                continue
            if argument.leaf >= len(leaves):
                raise SignatureError(f"input {argument.name} is missing")
            bound.append(fit(argument, leaves[argument.leaf]))
        return bound

    def collect(self, outputs: Sequence[torch.Tensor]) -> list[Any]:
        """The leaves of the call's result, from the program's outputs."""
        return [r.literal if r.index is None else outputs[r.index] for r in self.results]

    def mutated(self, outputs: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        """By path, what the call writes to became, from the program's outputs."""
        return {m.path: outputs[m.index] for m in self.mutations}

    def computes(self, outputs: Sequence[torch.Tensor]) -> bool:
        """Has a device a hand in any element of the call's result?"""
        return any(
            r.computed and r.index is not None and outputs[r.index].numel() for r in self.results
        )

    def writes(self, outputs: Sequence[torch.Tensor]) -> bool:
        """Has a device a hand in any element of what the call writes to?"""
        return any(m.computed and outputs[m.index].numel() for m in self.mutations)

    @property
    def constants(self) -> tuple[Constant, ...]:
        """Everything that is not the caller's."""
        return tuple(a for a in self.arguments if isinstance(a, Constant))


def fit(argument: UserInput, leaf: Any) -> torch.Tensor:
    """Cast one input to the dtype the program declares; never change its kind or shape."""
    tensor = torch.as_tensor(leaf)
    if tuple(tensor.shape) != argument.shape:
        raise SignatureError(
            f"input {argument.name} has shape {tuple(tensor.shape)}, "
            f"the program takes {argument.shape}"
        )
    if tensor.dtype == argument.dtype:
        return tensor
    if dtype_kind(tensor.dtype) != dtype_kind(argument.dtype):
        raise SignatureError(
            f"input {argument.name} is {tensor.dtype}, the program takes {argument.dtype}"
        )
    return tensor.to(argument.dtype)


def dtype_kind(dtype: torch.dtype) -> str:
    """`bool`, `int`, `float` or `complex`: what a cast must not change."""
    if dtype is torch.bool:
        return "bool"
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "int"
