# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a model's forward leaves where its caller, or its next call, finds it.

A KV cache that is updated and not returned, a list that grows, `self.last = y`: no tensor is
written to, and what the containers and attributes hold afterwards is what the model did. It is
found by what they held before, and goes for an output: eager and traced alike.
"""

import torch

from bringup.harness.frontend.call import Call, named_tensors
from bringup.harness.frontend.paths import ATTRIBUTES, BUFFERS, INPUTS, LEFT, PARAMETERS
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


class Before:
    """What a model and its call hold before forward runs."""

    def __init__(self, model: torch.nn.Module, call: Call) -> None:
        self._model, self._call = model, call
        self.tensors = held(model, call)
        self._registered = _registered(model)

    def left(self) -> dict[str, torch.Tensor]:
        """What lies now where another tensor lay, or none; by `left.` and the path.

        A parameter or a buffer is only left if it is new: of those that were there, what is
        assigned is written.
        """
        now = held(self._model, self._call)
        found = {path: value for path, value in now.items() if self.tensors.get(path) is not value}
        known = {id(value) for value in self._registered.values()}
        for path, value in _registered(self._model).items():
            if path not in self._registered and id(value) not in known:
                found[path] = value
        return {LEFT + path: value for path, value in found.items()}

    def given(self) -> tuple[dict[str, torch.Tensor], list[str]]:
        """By path, what was left, for a program to give; and the paths of what none can give.

        Those are tensors that are not dense, and, while a model is traced, Python's numbers that
        were computed of tensors: every other number was known before the model ran.
        """
        found = self.left()
        dense = {path: value.detach() for path, value in found.items() if is_dense(value)}
        others = (path.removeprefix(LEFT) for path in found if path not in dense)
        of_model = (ATTRIBUTES + path for path in named(self._model, _COMPUTED))
        of_call = (INPUTS + path for path in named(self._call, _COMPUTED))
        return dense, [*others, *of_model, *of_call]


def _registered(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    buffers, parameters = model.named_buffers(), model.named_parameters()
    return {
        **{BUFFERS + path: value for path, value in buffers},
        **{PARAMETERS + path: value for path, value in parameters},
    }


_COMPUTED = (torch.SymInt, torch.SymFloat, torch.SymBool)


def is_dense(tensor: torch.Tensor) -> bool:
    """Can a program give it, and can it be compared?"""
    return tensor.layout is torch.strided and not tensor.is_nested and not tensor.is_quantized
