# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From an FX graph to torch dialect by torch-mlir's `FxImporter`: the step that needs torch."""

import re
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node
from torch_mlir import ir
from torch_mlir.extras.fx_importer import FxImporter, FxImporterHooks

from bringup.harness.dense import to_numpy
from bringup.harness.mlir import LoweringError, TorchMlir

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def import_graph(mlir: TorchMlir, graph: Graph) -> ir.Module:
    """Import an FX graph whose tensors are all arguments, as `main`.

    Raises:
        LoweringError: the importer gave up.
    """
    importer = FxImporter(context=mlir.context, hooks=_DenseLiterals())
    if graph.owning_module is None:
        GraphModule({}, graph)  # the importer rewrites some ops (as_strided) by way of it
    for node in graph.nodes:
        _refuse_complex_number(node)
    try:
        with mlir.explained():
            importer.import_stateless_graph(graph)
    except LoweringError as error:
        raise LoweringError(_in_short(str(error)), error.diagnostic) from error
    module: ir.Module = importer.module
    return module


def _in_short(said: str) -> str:
    """What the importer says, without all that is known of a node, a dict which it appends to it,
    and without where in memory a function lies."""
    return _ADDRESS.sub("", said.partition(", {'")[0])


def _refuse_complex_number(node: Node) -> None:
    found = [arg for arg in (*node.args, *node.kwargs.values()) if isinstance(arg, complex)]
    if found:
        raise LoweringError(
            f"{node.target} takes the complex number {found[0]}, which torch-mlir cannot import",
            node.meta.get("stack_trace") or "",
        )


class _DenseLiterals(FxImporterHooks):  # type: ignore[misc] # untyped base
    """Import constant tensors as plain dense attributes.

    The importer's own dense resources cannot be serialised as portable StableHLO.
    """

    def resolve_literal(self, importer: Any, literal: Any, info: Any) -> Any:
        """The literal as an op's result, or None to leave it to the importer."""
        if not isinstance(literal, torch.Tensor) or literal.dtype not in _DENSE_DTYPES:
            return None
        attribute = ir.DenseElementsAttr.get(to_numpy(literal), signless=False)
        return ir.Operation.create(
            "torch.vtensor.literal",
            results=[importer._cc.tensor_to_vtensor_type(literal)],
            attributes={"value": attribute},
        ).result


_DENSE_DTYPES = (
    *(torch.float32, torch.float64, torch.float16),
    *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8),
)
