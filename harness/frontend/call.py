# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A call of a model: positional and keyword arguments, and the tensors in them by their paths."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from bringup.harness.dense import Array
from bringup.harness.errors import UsageError
from bringup.harness.reach import named
from bringup.harness.verify.structure import map_tensors

Call = tuple[tuple[Any, ...], dict[str, Any]]


def call_of(inputs: Any) -> Call:
    """Args and kwargs of a tester's inputs: mappings are kwargs, sequences args, else one arg."""
    if isinstance(inputs, Mapping):
        return (), dict(inputs)
    if isinstance(inputs, tuple | list):
        return tuple(inputs), {}
    return (inputs,), {}


def refuse_inputs(model: torch.nn.Module, inputs: Any) -> None:
    """Refuse, in a sentence, what no exported program takes as an input.

    Raises:
        UsageError: a tensor has no plain values, or a numpy array would be a constant.
    """
    for name, argument in named_arguments(model, call_of(inputs)).items():
        held: dict[str, torch.Tensor | Array] = {**named(argument, torch.Tensor)}
        for path, value in (held | named(argument, np.ndarray)).items():
            said = _refusal_of(value)
            if said:
                dot = "." if path[:1] not in ("", "[") else ""
                raise UsageError(f"input {name}{dot}{path} is {said}")


def _refusal_of(value: torch.Tensor | Array) -> str:
    if not isinstance(value, torch.Tensor):
        numbers = value.dtype.kind in "biufc"
        return "a numpy array: give a tensor, torch.from_numpy(...)" if numbers else ""
    if value.is_meta:
        return "on the meta device: it has no values to compute with"
    if value.is_nested:
        return "a nested tensor: give a padded one, and a mask"
    if value.is_quantized:
        return "a quantised tensor: give its integers, int_repr()"
    if value.layout is not torch.strided:
        layout = str(value.layout).removeprefix("torch.")
        return f"a tensor of layout {layout}: give a dense one, to_dense()"
    return ""


def named_tensors(model: torch.nn.Module, call: Call) -> dict[str, torch.Tensor]:
    """A call's tensors by their paths, which begin with the names of `forward`'s parameters."""
    found: dict[str, torch.Tensor] = {}

    def take(path: str, tensor: torch.Tensor) -> torch.Tensor:
        while path in found:
            path += "_"
        found[path] = tensor
        return tensor

    for name, value in named_arguments(model, call).items():
        map_tensors(value, take, name, whole=True)
    return found


def named_arguments(model: torch.nn.Module, call: Call) -> dict[str, Any]:
    """A call's arguments by the names of `forward`'s parameters."""
    args, kwargs = call
    return dict(zip(_positional(model, len(args)), args, strict=True)) | kwargs


def first_paths(tensors: Mapping[str, torch.Tensor | None]) -> dict[str, str]:
    """Of every path, the first that leads to the same tensor."""
    first: dict[int, str] = {}
    return {path: first.setdefault(id(tensor), path) for path, tensor in tensors.items()}


def _positional(model: torch.nn.Module, count: int) -> list[str]:
    """Names for the first `count` arguments."""
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):  # one written in C++
        parameters = []
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in places][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    return [*names, *(f"{rest}[{i}]" for i in range(count - len(names)))]
