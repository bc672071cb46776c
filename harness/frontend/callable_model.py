# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A model that is no `torch.nn.Module`, as one; and in which modes a module can be.

A function, a partial, a bound method, an object with `__call__` and an `ExportedProgram` are models
too. What modules they hold, in closures, arguments, attributes and the globals they name, are
modules of the one that is made, so that parameters are found and trained.
"""

import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import torch
from torch.export import ExportedProgram

from bringup.harness.errors import UsageError
from bringup.harness.reach import reached


class CallableModel(torch.nn.Module):
    """A callable as a module, with the callable's own signature."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        for number, module in enumerate(_outermost(_modules_of(function))):
            self.add_module(f"held{number}", module)
        self.forward = function


def as_module(model: Any, tester: str) -> torch.nn.Module:
    """What a tester's `_load_model` returned, as a module.

    Raises:
        UsageError: it cannot be called, or has no values yet.
    """
    if isinstance(model, ExportedProgram):
        model = model.module()
    model = getattr(model, "_torchdynamo_orig_callable", model)  # of torch.compile(function)
    if isinstance(model, type):
        raise UsageError(f"_load_model of {tester} returned the class {model.__name__}: make one")
    if not isinstance(model, torch.nn.Module):
        if not callable(model):
            raise UsageError(
                f"_load_model of {tester} returned a {type(model).__name__}, "
                "not a torch.nn.Module or something else that can be called"
            )
        if isinstance(model, torch.jit.ScriptFunction):
            raise UsageError("TorchScript is not exported; give the function that it was made from")
        model = CallableModel(model)
    made: torch.nn.Module = model
    for name, value in (*made.named_parameters(), *made.named_buffers()):
        _refuse_valueless(name, value)
    return made


def set_mode(model: torch.nn.Module, *, training: bool) -> bool:
    """Put a model into train or eval mode; False for one that stays as it was exported."""
    try:
        model.train(training)
    except NotImplementedError:  # an exported graph has one mode for good
        return False
    return True


def _refuse_valueless(name: str, value: torch.Tensor) -> None:
    if torch.nn.parameter.is_lazy(value):
        raise UsageError(
            f"{name} is not initialised: call the model once in _load_model, or give its layer"
            " the sizes"
        )
    if value.is_meta:
        raise UsageError(f"{name} is on the meta device: it has no values to compute with")


def _modules_of(function: Callable[..., Any]) -> Iterator[torch.nn.Module]:
    for held in reached(function):
        if isinstance(held, torch.nn.Module):
            yield held
        elif isinstance(held, FunctionType):
            named = inspect.getclosurevars(held).globals.values()
            yield from (value for value in named if isinstance(value, torch.nn.Module))


def _outermost(modules: Iterator[torch.nn.Module]) -> list[torch.nn.Module]:
    found = list(dict.fromkeys(modules))
    inner = {part for module in found for part in module.modules() if part is not module}
    return [module for module in found if module not in inner]
