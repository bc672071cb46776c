# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ONNX files as they come: read with their weights, at an opset that lowers, of fixed shapes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnx import version_converter

from bringup.harness.errors import UsageError
from bringup.harness.frontend.onnx_checks import STANDARD, input_names, torch_dtype, type_name
from bringup.harness.given.input_spec import InputSpec, value_of
from bringup.harness.storage.writable import said_by

OPSET = 17
"""The lowest opset at which models lower; files of older ones fail to legalize."""
_SIZES = {"height": 224, "width": 224, "h": 224, "w": 224}
_LENGTH = 16
"""Of every other dimension that the model leaves open: the first is a batch of one."""


def read(path: Path) -> onnx.ModelProto:
    """Read a model, with its weights where they lie beside it.

    Raises:
        UsageError: there is none, or it cannot be read.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's and the checker's have no common base
        said = said_by(error).partition("\n")[0]
        raise UsageError(f"{path} cannot be read as an ONNX model: {said[:200]}") from error
    if not model.opset_import:  # an empty file is a message of protobuf, too
        raise UsageError(f"{path} holds no ONNX model: it names no opset")
    return model


def static(
    model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]] | None = None
) -> onnx.ModelProto:
    """`model` at opset 17 or above; every input named in `shapes` gets that shape, and the rest
    follow."""
    if any(o.domain in STANDARD and o.version < OPSET for o in model.opset_import):
        model = version_converter.convert_version(model, OPSET)
        model.ir_version = onnx.helper.find_min_ir_version_for(model.opset_import)
    graph = model.graph
    _drop_inputs_with_a_value(graph)
    for tensor in graph.input:
        if shapes and tensor.name in shapes:
            del tensor.type.tensor_type.shape.dim[:]
            for size in shapes[tensor.name]:
                tensor.type.tensor_type.shape.dim.add().dim_value = size
    del graph.value_info[:]  # inferred for the open sizes, as were the outputs' shapes
    for tensor in graph.output:
        tensor.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)


def _drop_inputs_with_a_value(graph: onnx.GraphProto) -> None:
    """Before IR version 4 every initializer had to be listed as an input too."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [tensor for tensor in graph.input if tensor.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)


def inputs_of(model: onnx.ModelProto, specs: Sequence[InputSpec]) -> dict[str, torch.Tensor]:
    """Inputs by name: as `specs` say, and for the rest as the model declares them.

    Raises:
        UsageError: a spec names an input that the model has not, there are more than it has, or an
            input is no tensor of numbers.
    """
    names = input_names(model)
    given = _by_name(names, specs)
    values = {}
    for number, declared in enumerate(i for i in model.graph.input if i.name in names):
        spec = given.get(declared.name, InputSpec())
        dtype = torch_dtype(declared.type.tensor_type.elem_type)
        if what := type_name(declared.type):
            raise UsageError(f"input {declared.name} is {what}; write a test that makes it")
        assert dtype is not None, "a tensor of numbers has a dtype"
        shape = () if spec.shape is not None or spec.file else open_shape(declared)
        values[declared.name] = value_of(spec, declared.name, shape, dtype, number)
    return values


def open_shape(declared: onnx.ValueInfoProto) -> tuple[int, ...]:
    """The shape of an input; what it leaves open is a batch of one, a picture's side of 224, or
    16.

    Raises:
        UsageError: it does not say its rank.
    """
    if not declared.type.tensor_type.HasField("shape"):
        raise UsageError(
            f"input {declared.name} has no shape; say one: --input {declared.name}=1x3x224x224"
        )
    dims = declared.type.tensor_type.shape.dim
    return tuple(
        d.dim_value
        if d.HasField("dim_value") and d.dim_value > 0
        else _SIZES.get(d.dim_param.lower(), 224 if len(dims) == 4 and i > 1 else _LENGTH)
        if i
        else 1
        for i, d in enumerate(dims)
    )


def _by_name(names: Sequence[str], specs: Sequence[InputSpec]) -> dict[str, InputSpec]:
    given = {spec.name: spec for spec in specs if spec.name}
    unknown = [name for name in given if name not in names]
    left = [name for name in names if name not in given]
    unnamed = [spec for spec in specs if not spec.name]
    if unknown:
        raise UsageError(f"the model has no input {unknown[0]!r}; it has {', '.join(names)}")
    if len(unnamed) > len(left):
        raise UsageError(f"{len(specs)} inputs given, the model takes {', '.join(names) or 'none'}")
    return given | dict(zip(left, unnamed, strict=False))
