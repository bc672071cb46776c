# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ONNX: make a model importable, import it, keep its weights arguments.

torch-mlir's importer wants a recent opset and static shapes. Float initialisers of some size
become inputs of the graph, so that they travel as arguments and not inside the IR; integers stay,
since shapes and axes must be constants to lower.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper, shape_inference, version_converter
from torch_mlir import ir
from torch_mlir.extras import onnx_importer

from harness.errors import HarnessError
from harness.frontend.mlir import TorchMlir
from harness.frontend.program import Constant, Result, Signature, UserInput

OPSET = 17
"""Older models are converted up to this; torch-mlir lowers few of the older forms."""
ARGUMENT_ELEMENTS = 64
"""Float initialisers with more elements than this become arguments."""
_SPELLED = (
    *(onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.BOOL),
    *(onnx.TensorProto.INT8, onnx.TensorProto.INT16, onnx.TensorProto.INT32),
    *(onnx.TensorProto.INT64, onnx.TensorProto.UINT8),
)
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)


class OnnxRefusal(HarnessError):
    """The ONNX model or its inputs are not what the flow can take."""


def named_inputs(model: onnx.ModelProto, inputs: Any) -> dict[str, torch.Tensor]:
    """A tester's inputs by ONNX input name.

    Raises:
        OnnxRefusal: wrong count or names.
    """
    names = input_names(model)
    if isinstance(inputs, Mapping):
        unknown = [name for name in inputs if name not in names]
        if unknown:
            raise OnnxRefusal(f"the model has no input {unknown[0]!r}; it has {', '.join(names)}")
        return {name: torch.as_tensor(inputs[name]) for name in names if name in inputs}
    values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    if len(values) != len(names):
        raise OnnxRefusal(f"{len(values)} inputs given, the model takes {', '.join(names)}")
    return {n: torch.as_tensor(v) for n, v in zip(names, values, strict=True)}


def input_names(model: onnx.ModelProto) -> list[str]:
    """Inputs that are not initialisers."""
    weights = {w.name for w in model.graph.initializer}
    return [i.name for i in model.graph.input if i.name not in weights]


def prepare(model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor]) -> onnx.ModelProto:
    """A copy at a lowerable opset, with every input's shape fixed to the one given."""
    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    opset = max(
        (o.version for o in prepared.opset_import if o.domain in ("", "ai.onnx")), default=1
    )
    if opset < OPSET:
        prepared = version_converter.convert_version(prepared, OPSET)
    _hoist_constants(prepared.graph)
    for value in prepared.graph.input:
        if value.name in inputs:
            _fix_shape(value, tuple(inputs[value.name].shape))
    for value in prepared.graph.output:  # stale symbolic shapes would beat the inferred ones
        value.type.tensor_type.ClearField("shape")
    del prepared.graph.value_info[:]
    return shape_inference.infer_shapes(prepared, data_prop=True)


def _hoist_constants(graph: onnx.GraphProto) -> None:
    """Some exporters write weights as Constant nodes; make initialisers of them, in place."""
    for node in list(graph.node):
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None and _is_weight(value):
            weight = graph.initializer.add()
            weight.CopyFrom(value)
            weight.name = node.output[0]
            graph.node.remove(node)


def _is_weight(tensor: onnx.TensorProto) -> bool:
    return tensor.data_type in _FLOATS and int(np.prod(tensor.dims)) > ARGUMENT_ELEMENTS


def _fix_shape(value: onnx.ValueInfoProto, shape: tuple[int, ...]) -> None:
    dims = value.type.tensor_type.shape.dim
    if len(dims) != len(shape):
        raise OnnxRefusal(f"input {value.name} has rank {len(shape)}, the model takes {len(dims)}")
    for dim, size in zip(dims, shape, strict=True):
        if dim.HasField("dim_value") and dim.dim_value > 0 and dim.dim_value != size:
            raise OnnxRefusal(
                f"input {value.name} has shape {shape}, which the model does not take"
            )
        dim.dim_value = size


def lift_weights(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """Turn large float initialisers into inputs, in place; their values by name."""
    lifted: dict[str, torch.Tensor] = {}
    declared = {i.name for i in model.graph.input}
    for weight in list(model.graph.initializer):
        if not _is_weight(weight):
            continue
        lifted[weight.name] = torch.from_numpy(numpy_helper.to_array(weight).copy())
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
    return Signature(tuple(arguments), tuple(Result(i) for i in range(len(names))), names)


def torch_dtype(kind: int) -> torch.dtype | None:
    """The dtype of an ONNX element type; None where torch has none."""
    if kind == onnx.TensorProto.BFLOAT16:
        return torch.bfloat16
    try:
        return torch.from_numpy(np.empty(0, onnx.helper.tensor_dtype_to_np_dtype(kind))).dtype
    except (KeyError, TypeError):
        return None


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
    return sum(
        int(np.prod(t.dims)) for t in (*model.graph.initializer, *constants) if _is_weight(t)
    )


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


def run_onnxruntime(
    model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor], *, fused: bool = True
) -> dict[str, torch.Tensor]:
    """The golden: onnxruntime on the CPU; outputs by name.

    Unless `fused`, every node is computed as it stands: a value is the same to the last bit
    whatever other values are asked for.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [o.name for o in session.get_outputs()]
    feeds = {name: tensor.detach().numpy() for name, tensor in inputs.items()}
    values: Sequence[Any] = session.run(names, feeds)
    return {n: torch.from_numpy(np.asarray(v)) for n, v in zip(names, values, strict=True)}
