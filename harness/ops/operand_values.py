# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Which values a torch op is given, said without computing them: by where they come from.

A verdict on `aten.log` over positive numbers says nothing of it over negative ones, one on an
embedding nothing of other indices. So the verdict cache keeps what it knows of an op under its
operands' origins too: a digest of every op that leads to them, and of the weights and inputs at the
far end. The same model with the same weights has them again the next night, and none of its values
need be computed to know; another model has its own verdict. Ops of `VALUE_BLIND` do the same
arithmetic whatever they are given, so that their verdicts hold for every model: they are the bulk.
What their values may still bring about (an overflow, a sum that cancels) the recheck looks for. Of
few digits only those that round nothing are blind.

A StableHLO op is given inputs drawn from its key, so nothing is to be added there.
"""

import hashlib
from collections.abc import Sequence

import torch
from torch.fx import Graph, Node

from bringup.harness.dense import as_bytes
from bringup.harness.ops.identity import IdentityError, nameless_op, torch_op, torch_operands
from bringup.harness.ops.torch_ops import attribute, is_op
from bringup.harness.records.ops import Op

WHOLE_BYTES = 64 << 10
"""A tensor at the far end counts with all its bytes up to this size, else with a sample of them."""
_SAMPLE = 1024
"""Elements, evenly spread."""
_COARSE = ("bfloat16", "float16", "float8", "float4")
"""How the names of dtypes with few digits begin."""

_EXACT = frozenset(
    {
        *("view", "_unsafe_view", "reshape", "permute", "transpose", "t", "expand", "repeat"),
        *("slice", "select", "squeeze", "unsqueeze", "cat", "stack", "split", "unbind", "flip"),
        *("clone", "alias", "detach", "copy", "contiguous", "lift_fresh_copy", "roll"),
        *("full", "full_like", "zeros", "zeros_like", "ones", "ones_like", "arange", "eye"),
        *("empty", "scalar_tensor", "logical_not", "logical_and", "logical_or", "bitwise_not"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "upsample_nearest2d", "tril", "triu"),
        *("neg", "abs", "relu", "clamp", "minimum", "maximum", "hardtanh", "constant_pad_nd"),
    }
)
"""`aten` ops, without overload, that round nothing: they move, choose or make values."""

VALUE_BLIND = _EXACT | {
    *("add", "sub", "rsub", "mul", "square", "sigmoid", "tanh", "silu", "gelu"),
    *("leaky_relu", "erf"),
    *("mm", "bmm", "addmm", "baddbmm", "dot", "mv", "matmul", "linear", "convolution"),
    *("sum", "mean", "cumsum", "avg_pool2d", "_adaptive_avg_pool2d"),
}
"""`aten` ops, without overload, which in 32 bits and more are right or wrong for any values alike.

In 16 bits and fewer a step too many that rounds is wrong for some values and right for others
(GELU below -2, an average near 0), and a product overflows: there only `_EXACT` ones are.
"""


def counts_values(op: Op) -> bool:
    """Does the outcome of an op depend on its operands' values? Of one that is not known it does,
    and of several in one program if that of any does."""
    coarse = any(each.dtype.startswith(_COARSE) for each in (*op.inputs, *op.outputs))
    blind = _EXACT if coarse else VALUE_BLIND
    names = [part.split(".") for part in op.name.split("+")]
    return not all(name[0] == "aten" and len(name) > 1 and name[1] in blind for name in names)


def origins_of(graph: Graph, arguments: Sequence[torch.Tensor]) -> dict[str, str]:
    """Where the operands of each unique op come from, by the op's key: of its first node.

    `arguments` are one tensor for each placeholder.
    """
    feed = iter(arguments)
    nodes: dict[Node, str] = {}
    found: dict[str, str] = {}
    for node in graph.nodes:
        if node.op in ("placeholder", "get_attr"):
            value = next(feed) if node.op == "placeholder" else attribute(node)
            said = fingerprint(value) if isinstance(value, torch.Tensor) else type(value).__name__
            nodes[node] = _digest("source", said)
        elif node.op == "call_function":
            what, operands, key = _computed(node)
            given = _digest("operands", *(nodes[operand] for operand in operands))
            nodes[node] = _digest("computed", what, given)
            if key:
                found.setdefault(key, given)
    return found


def _computed(node: Node) -> tuple[str, list[Node], str]:
    """How a node's value is computed, from which others, and its key as an op, if it is one."""
    if is_op(node):
        try:
            op = torch_op(node)
            return op.key, torch_operands(node), op.key
        except IdentityError as error:
            key = nameless_op(node, str(error)).key
            return f"{node.target} {key}", node.all_input_nodes, key
    numbers = [argument for argument in node.args if isinstance(argument, int)]  # of `getitem`
    return f"{node.target} {numbers}", node.all_input_nodes, ""


def fingerprint(value: torch.Tensor, *, whole: bool = False) -> str:
    """What tells a tensor from another of other values; of a large one, as a sample shows it,
    unless the `whole` of it is to count."""
    plain = value.detach().resolve_conj().resolve_neg()
    if plain.layout is not torch.strided or plain.is_quantized or plain.is_meta:
        return f"{plain.dtype} {tuple(plain.shape)} {plain.layout}"
    flat = plain.reshape(-1) if plain.is_contiguous() else plain.flatten()
    if flat.nbytes > WHOLE_BYTES and not whole:
        flat = flat[:: max(flat.numel() // _SAMPLE, 1)]
    content = as_bytes(flat.cpu()).numpy().data
    return f"{plain.dtype} {tuple(plain.shape)} {hashlib.sha256(content).hexdigest()}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
