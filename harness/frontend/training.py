# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Training: forward, loss and backward as one program whose results are loss and gradients.

The step is exported without decompositions and its backward derived from that, so that the
gradients are PyTorch's own; only then is the joint graph decomposed. (With torch-mlir's table
given to autograd, the gradients of attention models came out wrong.) Attention uses the MATH
kernel, whose backward lowers.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _pytree as pytree

from harness.errors import HarnessError
from harness.frontend.torch_program import Call, export

PREFIX = "model."
GRADIENT = "grad."


class TrainingError(HarnessError):
    """The model cannot be trained as it is."""


class Step(torch.nn.Module):
    """Forward and loss. Only the loss leaves, so that nothing else needs a gradient."""

    def __init__(self, model: torch.nn.Module, loss: Callable[[Any], torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        self._loss = loss

    def forward(self, *args: Any, **kwargs: Any) -> tuple[torch.Tensor]:
        """The loss, a float scalar, in a tuple."""
        return (self._loss(self.model(*args, **kwargs)),)


def default_loss(outputs: Any) -> torch.Tensor:
    """The model's own `loss` if it gives one, else the mean square of its first float output."""
    own = getattr(outputs, "loss", None)
    if isinstance(own, torch.Tensor):
        return own
    for leaf in pytree.tree_leaves(outputs):
        if isinstance(leaf, torch.Tensor) and leaf.is_floating_point():
            return leaf.float().square().mean()
    raise TrainingError("the model has no float output to make a loss of; give _loss(outputs)")


def eager_step(
    model: torch.nn.Module, call: Call, loss: Callable[[Any], torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The golden: loss and every gradient by plain eager backward, `loss` and `grad.NAME`.

    Parameters that get no gradient are frozen, here and in what is exported afterwards.
    """
    model.zero_grad(set_to_none=True)
    with sdpa_kernel(SDPBackend.MATH):
        value = loss(model(*call[0], **call[1]))
        if value.grad_fn is None:
            raise TrainingError("the loss depends on no parameter")
        torch.autograd.backward(value)
    result = {"loss": value.detach()}
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            parameter.requires_grad_(False)
        else:
            result[GRADIENT + name] = parameter.grad.detach()
    model.zero_grad(set_to_none=True)
    return result


def export_step(
    model: torch.nn.Module, call: Call, loss: Callable[[Any], torch.Tensor]
) -> ExportedProgram:
    """Export forward, loss and backward."""
    from torch.export.experimental import _export_forward_backward  # a second to import

    with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forward = export(Step(model, loss), call)
        joint: ExportedProgram = _export_forward_backward(forward)
    return joint


def results_of(exported: ExportedProgram) -> Callable[[Sequence[Any]], dict[str, torch.Tensor]]:
    """How the program's results map to `loss` and `grad.NAME`."""
    names = []
    for spec in exported.graph_signature.output_specs:
        if spec.kind is OutputKind.LOSS_OUTPUT:
            names.append("loss")
        elif spec.kind is OutputKind.GRADIENT_TO_PARAMETER:
            names.append(GRADIENT + (spec.target or "").removeprefix(PREFIX))
    return lambda leaves: dict(zip(names, leaves, strict=True))
