# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What of a training step `torch.export` does not take over: gradients that are not derived.

The exported step is forward as a graph, and a backward that PyTorch derives of it anew. A backward
that somebody wrote, or a hook that changes a gradient on its way, is in no graph.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from bringup.harness.frontend.call import Call


def custom_gradients(
    model: torch.nn.Module, call: Call, loss: Callable[[Any], torch.Tensor]
) -> list[str]:
    """What changes a step's gradients and is lost at export, each in words; runs forward once."""
    hooks = _Registered()
    with torch.enable_grad(), hooks:
        value = loss(model(*call[0], **call[1]))
    names = sorted({_name_of(node) for node in _custom(value.grad_fn)} - {"BackwardHookFunction"})
    return [
        *(f"the backward of {name}" for name in names),
        *(f"the backward hook of {name}" for name in _hooked_modules(model)),
        *(f"the hook on {name}" for name, p in model.named_parameters() if _is_hooked(p)),
        *(["a hook on a tensor inside of forward"] if hooks.count else []),
    ]


class _Registered(TorchFunctionMode):
    """Counts the hooks that forward registers on tensors."""

    count = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function."""
        self.count += func in (
            torch.Tensor.register_hook,
            torch.Tensor.register_post_accumulate_grad_hook,
        )
        return func(*args, **(kwargs or {}))


def _custom(root: Any) -> Iterator[BackwardCFunction]:
    """The nodes of an autograd graph that are of a `torch.autograd.Function`."""
    seen, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, BackwardCFunction):
            yield node
        waiting += [following for following, _ in node.next_functions]


def _name_of(node: BackwardCFunction) -> str:
    return type(node).__name__.removesuffix("Backward")


def _hooked_modules(model: torch.nn.Module) -> list[str]:
    named = model.named_modules()
    return [name or "the model" for name, m in named if m._backward_hooks or m._backward_pre_hooks]


def _is_hooked(parameter: torch.Tensor) -> bool:
    attributes = ("_backward_hooks", "_post_accumulate_grad_hooks")
    return any(getattr(parameter, attribute, None) for attribute in attributes)
