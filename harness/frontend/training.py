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
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _pytree as pytree

from bringup.harness.errors import HarnessError
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.eager import DenseEmbeddings, WithoutDropout, without_fast_paths
from bringup.harness.frontend.entry import MODEL, Entry
from bringup.harness.frontend.paths import MUTATED
from bringup.harness.frontend.refusals import explained
from bringup.harness.frontend.torch_program import export_entry

GRADIENT = "grad."


class TrainingError(HarnessError):
    """The model cannot be trained as it is."""


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
    model: torch.nn.Module,
    call: Call,
    loss: Callable[[Any], torch.Tensor],
    dropout: WithoutDropout | None = None,
    inputs: Mapping[str, torch.Tensor] = MappingProxyType({}),
    seen: Callable[[Any], None] | None = None,
) -> dict[str, torch.Tensor]:
    """The golden: loss and every gradient by plain eager backward, `loss` and `grad.NAME`.

    Those of `inputs`, tensors of the call by name, come last, where they require one. `seen` gets
    what forward gave, while the gradients are set.
    """
    model.zero_grad(set_to_none=True)
    off = WithoutDropout() if dropout is None else dropout
    named = [*model.named_parameters()]  # forward may give one a second name
    dense = DenseEmbeddings()
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), without_fast_paths(), off, dense:
        outputs = model(*call[0], **call[1])
        value = loss(outputs)
        if value.grad_fn is None:
            raise TrainingError("the loss depends on no parameter")
        torch.autograd.backward(value)
    result = {"loss": value.detach()}
    for name, tensor in (*named, *inputs.items()):
        if tensor.grad is not None:
            result[GRADIENT + name] = tensor.grad.detach()
    if seen is not None:
        seen(outputs)
    model.zero_grad(set_to_none=True)
    return result


def freeze(model: torch.nn.Module, results: Collection[str]) -> None:
    """Freeze the parameters that got no gradient, as an export wants one for every other."""
    for name, parameter in model.named_parameters():
        if GRADIENT + name not in results:
            parameter.requires_grad_(False)


def entry_of(model: torch.nn.Module, call: Call, loss: Callable[[Any], torch.Tensor]) -> Entry:
    """Forward and loss. Only the loss leaves, so that nothing else needs a gradient."""
    return Entry(model, call, of=lambda outputs: (loss(outputs),))


def export_step(entry: Entry) -> ExportedProgram:
    """Export forward, loss and backward."""
    from torch.export.experimental import _export_forward_backward  # a second to import

    with (
        torch.enable_grad(),
        sdpa_kernel(SDPBackend.MATH),
        warnings.catch_warnings(),
        explained(),
        WithoutDropout(),
    ):
        warnings.simplefilter("ignore")
        forward = export_entry(entry)
        _refuse_replaced(entry)
        _name_tied_once(forward, entry)
        joint: ExportedProgram = _export_forward_backward(forward)
    return joint


def _refuse_replaced(entry: Entry) -> None:
    """What leaves the program is the loss, and nothing else.

    Raises:
        TrainingError: forward replaces a buffer by one of another shape.
    """
    for path in entry.beside:
        if path.startswith(MUTATED):
            raise TrainingError(
                f"forward gives {path.removeprefix(MUTATED)} another shape, which the program of a"
                " training step cannot say"
            )


def _name_tied_once(exported: ExportedProgram, entry: Entry) -> None:
    """Let a parameter of several names have the one that `named_parameters` gives it, in place.

    Autograd sums what flows into it, and wants a gradient for every name that it is told.
    """
    first = {id(parameter): name for name, parameter in entry.named_parameters()}
    nodes = {node.name: node for node in exported.graph.nodes if node.op == "placeholder"}
    specs = exported.graph_signature.input_specs
    kept = {spec.target: nodes[spec.arg.name] for spec in specs}
    for spec in list(specs):
        if spec.kind is not InputKind.PARAMETER or spec.target is None:
            continue
        name = first[id(entry.get_parameter(spec.target))]
        if name != spec.target:
            nodes[spec.arg.name].replace_all_uses_with(kept[name])
            exported.graph.erase_node(nodes[spec.arg.name])
            specs.remove(spec)
    exported.graph_module.recompile()


def result_names(exported: ExportedProgram, entry: Entry) -> tuple[str, ...]:
    """What the program's results are, in their order: `loss`, `grad.NAME`, `grad.inputs.NAME`."""
    names = []
    wanting = (entry.places[n] for n, tensor in entry.tensors.items() if tensor.requires_grad)
    for spec in exported.graph_signature.output_specs:
        if spec.kind is OutputKind.LOSS_OUTPUT:
            names.append("loss")
        elif spec.kind is OutputKind.GRADIENT_TO_PARAMETER:
            names.append(GRADIENT + (spec.target or "").removeprefix(MODEL))
        elif spec.kind is OutputKind.GRADIENT_TO_USER_INPUT:
            names.append(GRADIENT + next(wanting))  # in the order of the inputs
    return tuple(names)


def named_results(
    names: Sequence[str],
) -> Callable[[Sequence[Any]], dict[str, torch.Tensor]]:
    """How the program's results map to these names."""
    return lambda leaves: dict(zip(names, leaves, strict=True))
