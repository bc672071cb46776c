# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The golden of an ONNX model: onnxruntime on the CPU.

numpy has no bfloat16 and no float8, and onnxruntime computes in them hardly anything: such values
go in and come out as float32, which holds each of them exactly; and where there is no kernel, all
of the model is computed in float32, and the outputs are rounded.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch
from onnx import helper, numpy_helper

from bringup.harness.dense import from_numpy, to_numpy
from bringup.harness.frontend.onnx_checks import (
    OnnxRefusal,
    draws,
    graphs_of,
    tensors_of,
    torch_dtype,
)
from bringup.harness.storage.writable import said_by

_Proto = onnx.TensorProto
_FOREIGN = {
    *(_Proto.BFLOAT16, _Proto.FLOAT8E4M3FN, _Proto.FLOAT8E4M3FNUZ),
    *(_Proto.FLOAT8E5M2, _Proto.FLOAT8E5M2FNUZ),
}
"""Element types that onnxruntime cannot hand over to numpy."""


def run_onnxruntime(
    model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor], *, fused: bool = True
) -> dict[str, torch.Tensor]:
    """Outputs by name.

    Unless `fused`, every node is computed as it stands: a value is the same to the last bit
    whatever other values are asked for.
    """
    names = [output.name for output in model.graph.output]
    return dict(zip(names, _outputs(model, inputs, fused), strict=True))


def golden_outputs(
    model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor]
) -> list[torch.Tensor]:
    """Outputs in the model's order.

    Random numbers are other ones each time, whatever seed the model has or onnxruntime would take:
    no device draws the same, and so the model is one that differs from itself.

    Raises:
        OnnxRefusal: onnxruntime does not compute it.
    """
    try:
        return _outputs(_drawing_anew(model), inputs, fused=True)
    except Exception as error:  # onnxruntime's errors have no base class of their own
        said = said_by(error).splitlines()[0]
        raise OnnxRefusal(f"onnxruntime does not compute the model: {said}") from error


def _outputs(
    model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor], fused: bool
) -> list[torch.Tensor]:
    from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

    dtypes = [torch_dtype(output.type.tensor_type.elem_type) for output in model.graph.output]
    runnable = _in_numpy_types(_with_own_names(model))
    try:
        found = _run(runnable, inputs, fused)
    except NoKernel:
        if not _has_bfloat16(model):
            raise
        found = _run(_in_float32(_with_own_names(model)), inputs, fused)
    return [f if d is None else f.to(d) for f, d in zip(found, dtypes, strict=True)]


def _run(
    model: onnx.ModelProto, inputs: Mapping[str, torch.Tensor], fused: bool
) -> list[torch.Tensor]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not fused:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    declared = {i.name: torch_dtype(i.type.tensor_type.elem_type) for i in model.graph.input}
    feeds = {
        name: to_numpy(tensor.to(declared.get(name) or tensor.dtype))
        for name, tensor in inputs.items()
    }
    values: Sequence[Any] = session.run([o.name for o in session.get_outputs()], feeds)
    return [from_numpy(value) for value in values]


def random_op(model: onnx.ModelProto) -> str | None:
    """The first operator that may draw random numbers, which no device can be compared on."""
    return next((node.op_type for node in _nodes(model) if draws(node)), None)


def _drawing_anew(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the seeds of what is random, and another seed for all of it."""
    import onnxruntime

    if random_op(model) is None:
        return model
    onnxruntime.set_seed(next(_seeds))
    copy = _copy_of(model)
    for node in _nodes(copy):
        if draws(node):
            kept = [attribute for attribute in node.attribute if attribute.name != "seed"]
            del node.attribute[:]
            node.attribute.extend(kept)
    return copy


_seeds = itertools.count(1)


def _nodes(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The nodes of all graphs and functions."""
    nodes = [node for graph in graphs_of(model.graph) for node in graph.node]
    return nodes + [node for function in model.functions for node in function.node]


def _with_own_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, without its nodes' names where two have the same: onnxruntime refuses that."""
    names = [node.name for node in model.graph.node if node.name]
    if len(names) == len(set(names)):
        return model
    copy = _copy_of(model)
    for node in copy.graph.node:
        node.ClearField("name")
    return copy


def _in_numpy_types(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with inputs and outputs that numpy can hold; itself where it has no others."""
    graph = model.graph
    if not any(map(_is_foreign, (*graph.input, *graph.output))):
        return model
    graph = (copy := _copy_of(model)).graph
    renamed: dict[str, str] = {}
    first = []
    for value in filter(_is_foreign, graph.input):
        renamed[value.name] = inner = f"{value.name} as it is"
        first.append(
            helper.make_node("Cast", [value.name], [inner], to=value.type.tensor_type.elem_type)
        )
        value.type.tensor_type.elem_type = _Proto.FLOAT
    for inside in graphs_of(graph):
        for node in inside.node:
            for place, name in enumerate(node.input):
                node.input[place] = renamed.get(name, name)
    for place, node in enumerate(first):
        graph.node.insert(place, node)
    for number, value in enumerate(graph.output):
        if _is_foreign(value):
            inner, value.name = renamed.get(value.name, value.name), f"{value.name} {number}"
            graph.node.append(helper.make_node("Cast", [inner], [value.name], to=_Proto.FLOAT))
            value.type.tensor_type.elem_type = _Proto.FLOAT
    return copy


def _is_foreign(value: onnx.ValueInfoProto) -> bool:
    return value.type.tensor_type.elem_type in _FOREIGN


def _has_bfloat16(model: onnx.ModelProto) -> bool:
    values = (*model.graph.input, *model.graph.output)
    return (
        any(value.type.tensor_type.elem_type == _Proto.BFLOAT16 for value in values)
        or any(tensor.data_type == _Proto.BFLOAT16 for tensor in tensors_of(model))
        or any(_casts(attribute) for attribute in _attributes(model))
    )


def _attributes(model: onnx.ModelProto) -> list[onnx.AttributeProto]:
    return [attribute for node in _nodes(model) for attribute in node.attribute]


def _casts(attribute: onnx.AttributeProto) -> bool:
    """Does an attribute say that something is to be bfloat16?"""
    return attribute.name in ("to", "dtype") and bool(attribute.i == _Proto.BFLOAT16)


def _in_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that computes in float32 whatever the model computes in bfloat16."""
    copy = _copy_of(model)
    for tensor in tensors_of(copy):
        if tensor.data_type == _Proto.BFLOAT16:
            array = numpy_helper.to_array(tensor).astype("float32")
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for attribute in filter(_casts, _attributes(copy)):
        attribute.i = _Proto.FLOAT
    for graph in graphs_of(copy.graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type == _Proto.BFLOAT16:
                value.type.tensor_type.elem_type = _Proto.FLOAT
    return copy


def _copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy
