# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ready-made ONNX files, brought to what the importer takes: opset 17 and fixed shapes."""

from collections.abc import Mapping, Sequence

import onnx
from onnx import version_converter

OPSET = 17
"""The lowest opset at which the files of the fleet lower; older ones fail to legalize."""


def static(
    model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]] | None = None
) -> onnx.ModelProto:
    """`model` at opset 17; every input named in `shapes` gets that shape, and the rest follow."""
    model = version_converter.convert_version(model, OPSET)
    model.ir_version = onnx.helper.find_min_ir_version_for(model.opset_import)
    graph = model.graph
    _drop_inputs_with_a_value(graph)
    for tensor in graph.input:
        if shapes and tensor.name in shapes:
            dims = tensor.type.tensor_type.shape.dim
            for dim, size in zip(dims, shapes[tensor.name], strict=True):
                dim.dim_value = size
    del graph.value_info[:]  # inferred for the dynamic sizes, as were the outputs' shapes
    for tensor in graph.output:
        tensor.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)


def _drop_inputs_with_a_value(graph: onnx.GraphProto) -> None:
    """Before IR version 4 every initializer had to be listed as an input too."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [tensor for tensor in graph.input if tensor.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
