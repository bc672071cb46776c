# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Make an ONNX model one that torch-mlir imports: recent, flat, dense, with static shapes."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, inliner, numpy_helper, shape_inference, version_converter

from bringup.harness.dense import Array
from bringup.harness.frontend.onnx_checks import (
    STANDARD,
    OnnxRefusal,
    check_shape,
    graphs_of,
    torch_dtype,
    type_name,
)
from bringup.harness.frontend.onnx_golden import golden_outputs
from bringup.harness.storage.writable import said_by

OPSET = 17
"""Older models are converted up to this; torch-mlir lowers few of the older forms."""
ARGUMENT_ELEMENTS = 64
"""Float initialisers with more elements than this become arguments."""
_FLOATS = (
    *(onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE),
    *(onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16),
)
_DROPOUT_SAYS_NOTHING = 12
"""The opset before which a Dropout's mask means nothing unless it trains; onnxruntime's is zero."""


def prepare(model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor]) -> onnx.ModelProto:
    """A copy at a lowerable opset, with every input's shape fixed to the one given.

    Functions are inlined, sparse weights filled up, and every output is a value that a node
    computes, each listed once.

    Raises:
        OnnxRefusal: an output is no tensor of numbers, an input does not fit, or the model's
            opset cannot be converted.
    """
    for output in model.graph.output:
        if what := type_name(output.type):
            raise OnnxRefusal(f"output {output.name} is {what}; no device computes that")
    prepared = inliner.inline_local_functions(model) if model.functions else _copy_of(model)
    _fill_up(prepared)
    _settle_inputs(prepared.graph, inputs)
    prepared = _converted(prepared)
    _hoist_constants(prepared.graph)
    _compute_outputs(prepared.graph)
    return _typed(prepared, model, inputs)


def is_weight(tensor: onnx.TensorProto) -> bool:
    """Is a constant large enough to be an argument of the program?"""
    return tensor.data_type in _FLOATS and int(np.prod(tensor.dims)) > ARGUMENT_ELEMENTS


def _copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


# --- constants ------------------------------------------------------------------------------


def _fill_up(model: onnx.ModelProto) -> None:
    """Make dense initialisers of sparse ones, and one tensor of each Constant, in place."""
    for graph in graphs_of(model.graph):
        graph.initializer.extend(
            numpy_helper.from_array(_dense(sparse), sparse.values.name)
            for sparse in graph.sparse_initializer
        )
        del graph.sparse_initializer[:]
        for node in graph.node:
            if node.op_type == "Constant" and node.domain in STANDARD:
                _spell_constant(node)


def _dense(sparse: onnx.SparseTensorProto) -> Array:
    """The array of a sparse tensor, whose indices are linear or one row for each value."""
    values = numpy_helper.to_array(sparse.values)
    indices = numpy_helper.to_array(sparse.indices)
    array = np.zeros(tuple(sparse.dims), values.dtype)
    if indices.ndim == 2:
        array[tuple(indices.T)] = values
    else:
        array.reshape(-1)[indices] = values
    return array


def _spell_constant(node: onnx.NodeProto) -> None:
    attribute = next(iter(node.attribute), None)
    if attribute is None or attribute.name not in _CONSTANTS:
        return
    value = helper.get_attribute_value(attribute)
    array = _dense(value) if attribute.name == "sparse_value" else np.array(value)
    tensor = numpy_helper.from_array(array.astype(_CONSTANTS[attribute.name] or array.dtype))
    node.attribute[0].CopyFrom(helper.make_attribute("value", tensor))


_CONSTANTS: dict[str, type | None] = {
    "sparse_value": None,
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}
"""Ways in which a Constant has its value, beside a tensor, and the dtype that each gives."""


def _hoist_constants(graph: onnx.GraphProto) -> None:
    """Some exporters write weights as Constant nodes; make initialisers of them, in place."""
    for node in list(graph.node):
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None and is_weight(value):
            weight = graph.initializer.add()
            weight.CopyFrom(value)
            weight.name = node.output[0]
            graph.node.remove(node)


# --- inputs and outputs ---------------------------------------------------------------------


def _settle_inputs(graph: onnx.GraphProto, inputs: Mapping[str, torch.Tensor]) -> None:
    """Each value is an input or an initialiser, and inputs have the shapes given, in place."""
    for weight in list(graph.initializer):
        if weight.name in inputs:
            graph.initializer.remove(weight)
    weights = {weight.name for weight in graph.initializer}
    for value in list(graph.input):
        if value.name in weights:
            graph.input.remove(value)
        elif value.name in inputs:
            shape = tuple(inputs[value.name].shape)
            check_shape(value, shape)
            element = value.type.tensor_type.elem_type
            value.CopyFrom(helper.make_tensor_value_info(value.name, element, shape))


def _compute_outputs(graph: onnx.GraphProto) -> None:
    """Have a node compute each output, under a name of its own, in place.

    The importer takes the type of an output from the node that computes it.
    """
    computed = {name for node in graph.node for name in node.output}
    taken = computed | {value.name for value in (*graph.input, *graph.initializer)}
    listed: set[str] = set()
    for output in graph.output:
        name = output.name
        if name not in computed or name in listed:
            output.name = _fresh(name, taken)
            taken.add(output.name)
            graph.node.append(helper.make_node("Identity", [name], [output.name]))
        listed.add(name)


def _fresh(name: str, taken: Collection[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


# --- opsets ---------------------------------------------------------------------------------


def _converted(model: onnx.ModelProto) -> onnx.ModelProto:
    opset = max((o.version for o in model.opset_import if o.domain in STANDARD), default=OPSET)
    if opset >= OPSET:
        return model
    masks = set(_dropout_masks(model.graph)) if opset < _DROPOUT_SAYS_NOTHING else set()
    # The converter holds a model of before IR version 4 to its rule that each weight is an input.
    model.ir_version = max(model.ir_version, 4)
    try:
        converted = version_converter.convert_version(model, OPSET)
    except Exception as error:  # it raises whatever its C++ does
        said = said_by(error).splitlines()[-1]
        said = said.rpartition(" failed: ")[2].strip()  # behind the place in its source
        raise OnnxRefusal(
            f"the model of opset {opset} cannot be converted to opset {OPSET}: {said}"
        ) from error
    _empty_masks(converted.graph, masks)
    return converted


def _dropout_masks(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        if node.op_type == "Dropout" and node.domain in STANDARD and len(node.output) > 1:
            yield node.output[1]


def _empty_masks(graph: onnx.GraphProto, names: Collection[str]) -> None:
    """Make zeros of the masks of Dropouts that were older, in place: the newer ones say true."""
    for place, node in reversed(list(enumerate(graph.node))):
        if node.op_type != "Dropout" or len(node.output) < 2 or node.output[1] not in names:
            continue
        mask, x = node.output[1], node.input[0]
        shape, false = f"{mask}_shape", helper.make_tensor("", onnx.TensorProto.BOOL, [1], [0])
        graph.node.insert(place, helper.make_node("ConstantOfShape", [shape], [mask], value=false))
        graph.node.insert(place, helper.make_node("Shape", [x], [shape]))
        del node.output[1:]


# --- types ----------------------------------------------------------------------------------


def _typed(
    prepared: onnx.ModelProto, model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor]
) -> onnx.ModelProto:
    """Types inferred anew from the inputs', since declared sizes may be another call's.

    What inference does not find, as behind an operator that ONNX does not know, is as the model
    declares it where that says every size, and an output's else as onnxruntime computes it.
    """
    graph = prepared.graph
    declared = [value for value in (*graph.value_info, *graph.output) if _is_static(value)]
    declared = [_value_copy(value) for value in declared]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    del graph.value_info[:]
    inferred = _inferred(prepared)
    if _declare_again(inferred.graph, declared):
        inferred = _inferred(inferred)
    unknown = [i for i, v in enumerate(inferred.graph.output) if not _has_shape(v)]
    if unknown:
        # If onnxruntime cannot either, the importer will say what of the model it does not know.
        with contextlib.suppress(OnnxRefusal):
            golden = golden_outputs(model, inputs)
            for place in unknown:
                value = inferred.graph.output[place]
                element = value.type.tensor_type.elem_type
                value.CopyFrom(
                    helper.make_tensor_value_info(value.name, element, golden[place].shape)
                )
    return inferred


def _inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        return shape_inference.infer_shapes(model, data_prop=True)
    except shape_inference.InferenceError as error:
        said = said_by(error).splitlines()[0]
        raise OnnxRefusal(f"the types in the model do not fit together: {said}") from error


def _declare_again(graph: onnx.GraphProto, declared: Collection[onnx.ValueInfoProto]) -> bool:
    """Say of values that are known no better what the model says of them, in place."""
    values = {value.name: value for value in (*graph.value_info, *graph.output)}
    again = False
    for value in declared:
        known = values.get(value.name)
        if known is not None and _has_shape(known):
            continue
        again = True
        if known is None:
            graph.value_info.append(value)
        else:
            known.CopyFrom(value)
    return again


def _has_shape(value: onnx.ValueInfoProto) -> bool:
    return bool(value.type.tensor_type.HasField("shape"))


def _is_static(value: onnx.ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    if not _has_shape(value) or torch_dtype(tensor.elem_type) is None:
        return False
    return all(dim.HasField("dim_value") for dim in tensor.shape.dim)


def _value_copy(value: onnx.ValueInfoProto) -> Any:
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(value)
    return copy
