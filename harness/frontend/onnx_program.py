# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ONNX: import a model that is prepared, and keep its weights arguments.

`onnx_checks` judges what a test gives, `onnx_prepare` makes the model importable, `onnx_golden`
computes it. Float initialisers of some size become inputs of the graph, so that they travel as
arguments and not inside the IR; integers stay, since shapes and axes must be constants to lower.
"""

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch_mlir import ir
from torch_mlir.extras import onnx_importer

from bringup.harness.dense import from_numpy
from bringup.harness.frontend import dependence
from bringup.harness.frontend.onnx_checks import (
    OnnxRefusal,
    check,
    input_names,
    named_inputs,
    result_names,
    torch_dtype,
)
from bringup.harness.frontend.onnx_golden import golden_outputs, random_op, run_onnxruntime
from bringup.harness.frontend.onnx_prepare import ARGUMENT_ELEMENTS, OPSET, is_weight, prepare
from bringup.harness.frontend.program import Constant, Result, Signature, UserInput
from bringup.harness.mlir import TorchMlir

__all__ = [
    "ARGUMENT_ELEMENTS",
    "OPSET",
    "OnnxRefusal",
    "check",
    "constant_bytes",
    "golden_outputs",
    "import_model",
    "input_names",
    "lift_weights",
    "named_inputs",
    "parameter_count",
    "prepare",
    "random_op",
    "readable",
    "result_names",
    "run_onnxruntime",
    "signature_of",
    "torch_dtype",
]

_SPELLED = (
    *(onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.BOOL),
    *(onnx.TensorProto.INT8, onnx.TensorProto.INT16, onnx.TensorProto.INT32),
    *(onnx.TensorProto.INT64, onnx.TensorProto.UINT8),
)


def lift_weights(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """Turn large float initialisers into inputs, in place; their values by name."""
    lifted: dict[str, torch.Tensor] = {}
    declared = {i.name for i in model.graph.input}
    for weight in list(model.graph.initializer):
        if not is_weight(weight):
            continue
        lifted[weight.name] = from_numpy(numpy_helper.to_array(weight).copy())
        if weight.name not in declared:
            model.graph.input.append(
                onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims)
            )
        model.graph.initializer.remove(weight)
    return lifted


def signature_of(
    model: onnx.ModelProto,
    inputs: Mapping[str, torch.Tensor],
    weights: Mapping[str, torch.Tensor],
) -> Signature:
    """Arguments and results of the imported `main`."""
    order = {name: leaf for leaf, name in enumerate(inputs)}
    constant = {w.name for w in model.graph.initializer}
    arguments: list[UserInput | Constant] = []
    for value in model.graph.input:
        name = value.name
        if name in weights:
            arguments.append(Constant(name, weights[name], parameter=True))
        elif name not in constant:
            tensor = inputs[name]
            arguments.append(UserInput(order[name], name, tuple(tensor.shape), tensor.dtype))
    names = tuple(o.name for o in model.graph.output)
    computed = dependence.of_onnx(model, order, weights)
    results = tuple(Result(i, computed=name in computed) for i, name in enumerate(names))
    return Signature(tuple(arguments), results, names)


def readable(model: onnx.ModelProto) -> str:
    """The graph as text, weights named and not shown."""
    return str(onnx.printer.to_text(_without_data(model)))


def _without_data(model: onnx.ModelProto) -> onnx.ModelProto:
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for weight in list(bare.graph.initializer):
        if int(np.prod(weight.dims)) > ARGUMENT_ELEMENTS:
            bare.graph.initializer.remove(weight)
    return bare


def constant_bytes(model: onnx.ModelProto) -> int:
    """Bytes of the initialisers that are left inside the graph."""
    return sum(w.ByteSize() for w in model.graph.initializer)


def parameter_count(model: onnx.ModelProto) -> int:
    """Elements of all weights, whether initialisers or constants."""
    constants = (a.t for n in model.graph.node if n.op_type == "Constant" for a in n.attribute)
    return sum(int(np.prod(t.dims)) for t in (*model.graph.initializer, *constants) if is_weight(t))


def import_model(mlir: TorchMlir, model: onnx.ModelProto) -> ir.Module:
    """Import an ONNX model as `main`, in torch-mlir's torch dialect with ONNX operators."""
    with mlir.explained():
        _spell_out_constants(model)
        info = onnx_importer.ModelInfo(model)
        module = info.create_module(context=mlir.context)
        importer = onnx_importer.NodeImporter.define_function(info.main_graph, module.operation)
        importer.import_all()
        _rename_entry(module, model.graph.name)
    return module


def _spell_out_constants(model: onnx.ModelProto) -> None:
    """Store constants in typed fields: from raw bytes the importer makes dense resources, which
    cannot be serialised as portable StableHLO."""
    tensors = list(model.graph.initializer)
    for node in model.graph.node:
        tensors += [a.t for a in node.attribute if a.HasField("t")]
    for tensor in tensors:
        if tensor.HasField("raw_data") and tensor.data_type in _SPELLED:
            values = numpy_helper.to_array(tensor)
            spelled = onnx.helper.make_tensor(
                tensor.name, tensor.data_type, tensor.dims, values.flatten().tolist()
            )
            tensor.CopyFrom(spelled)


def _rename_entry(module: ir.Module, name: str) -> None:
    for operation in module.body.operations:
        symbol = ir.StringAttr(operation.attributes["sym_name"]).value
        if symbol == name or len(module.body.operations) == 1:
            operation.attributes["sym_name"] = ir.StringAttr.get("main", context=module.context)
            return
