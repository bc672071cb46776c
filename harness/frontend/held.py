# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model's forward leaves where its caller, or its next call, finds it.

A KV cache that is updated and not returned, a list that grows, `self.last = y`: no tensor is
written to, and what the containers and attributes hold afterwards is what the model did. It is
found by what they held before, and goes for an output: eager and traced alike.
"""

from collections.abc import Mapping

import torch

from bringup.harness.frontend.call import Call, named_tensors
from bringup.harness.frontend.paths import ATTRIBUTES, INPUTS, LEFT
from bringup.harness.reach import named


def held(model: torch.nn.Module, call: Call) -> dict[str, torch.Tensor]:
    """Every tensor of a call, and of a model beside its parameters and buffers, by their paths.

    Raises:
        UnsupportedOutputError: the call is nested too deep.
    """
    own = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    given = {INPUTS + path: tensor for path, tensor in named_tensors(model, call).items()}
    return given | {
        ATTRIBUTES + path: tensor
        for path, tensor in named(model, torch.Tensor).items()
        if id(tensor) not in own
    }


def left(
    before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """What lies at a path where another tensor lay, or none; by `left.` and the path."""
    return {LEFT + path: now for path, now in after.items() if before.get(path) is not now}


class Traced:
    """What a model that is being traced leaves, as outputs of the program that is made."""

    def __init__(self, model: torch.nn.Module, call: Call) -> None:
        self._model, self._call = model, call
        self.before = held(model, call)

    def left(self) -> tuple[dict[str, torch.Tensor], list[str]]:
        """By path, what forward left; and the paths of what no program can give.

        Those are tensors that are not dense, and Python's numbers that were computed of tensors:
        every other number was known before the model ran.
        """
        found = left(self.before, held(self._model, self._call))
        dense = {path: value.detach() for path, value in found.items() if is_dense(value)}
        others = (path.removeprefix(LEFT) for path in found if path not in dense)
        of_model = (ATTRIBUTES + path for path in named(self._model, _COMPUTED))
        of_call = (INPUTS + path for path in named(self._call, _COMPUTED))
        return dense, [*others, *of_model, *of_call]


_COMPUTED = (torch.SymInt, torch.SymFloat, torch.SymBool)


def is_dense(tensor: torch.Tensor) -> bool:
    """Can a program give it, and can it be compared?"""
    return tensor.layout is torch.strided and not tensor.is_nested and not tensor.is_quantized
