# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Parts of an ONNX graph: a model of any set of its nodes, that runs alone."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import onnx
import torch
from onnx import numpy_helper
from torch_mlir import ir

from bringup.harness.dense import to_numpy
from bringup.harness.devices.tensors import WIRE_NAMES
from bringup.harness.frontend import onnx_program
from bringup.harness.graph.onnx_index import Cone, OnnxIndex
from bringup.harness.graph.op_graph import Unit, joint_name
from bringup.harness.mlir import TorchMlir
from bringup.harness.records.reproducible import ONNX, ONNX_TEXT
from bringup.harness.records.schema import Op, TensorType


@dataclass(frozen=True)
class OnnxPart:
    """A part of an ONNX graph, as a model of its own; see `op_graph.Part`."""

    model: onnx.ModelProto
    units: tuple[Unit, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The values that feed it."""
        return tuple(value.name for value in self.model.graph.input)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The values that it gives."""
        return tuple(value.name for value in self.model.graph.output)

    def op(self) -> Op:
        """Its operators and how they hang together, constants included."""
        canonical = _canonical(self.model)
        content = canonical.SerializeToString(deterministic=True)
        return Op(
            key=hashlib.sha256(content).hexdigest(),
            name=joint_name(self.units),
            source="onnx",
            inputs=tuple(map(_type, self.model.graph.input)),
            outputs=tuple(map(_type, self.model.graph.output)),
            attributes={"graph": onnx_program.readable(canonical)},
        )

    def imported(self, mlir: TorchMlir) -> ir.Module:
        """It in the torch dialect with ONNX operators, as `main`.

        Raises:
            LoweringError: the importer gave up.
        """
        return onnx_program.import_model(mlir, self.model)

    def sources(self) -> Mapping[str, bytes]:
        """The model, and the same as text."""
        return {
            ONNX: self.model.SerializeToString(),
            ONNX_TEXT: onnx_program.readable(self.model).encode(),
        }


def program(
    index: OnnxIndex,
    cone: Cone,
    wanted: Sequence[str],
    values: Mapping[str, torch.Tensor],
    frozen: Sequence[str] = (),
) -> onnx.ModelProto:
    """A model that computes `wanted`, opset and functions as in the whole one.

    Of values that come from outside, those in `frozen` are constants and the others inputs;
    `values` has the frozen ones, and all whose type the whole model does not say.
    """
    whole = index.model
    model = onnx.ModelProto(ir_version=whole.ir_version)
    model.opset_import.extend(whole.opset_import)
    model.functions.extend(whole.functions)
    graph = model.graph
    graph.name = whole.graph.name or "main"
    graph.node.extend(index.nodes[place] for place in cone.nodes)
    graph.initializer.extend(index.constants[name] for name in cone.constants)
    for name in cone.fed:
        if name in frozen:
            array = to_numpy(values[name])
            graph.initializer.append(numpy_helper.from_array(array, name))
        else:
            graph.input.append(_described(index, name, values))
    graph.output.extend(_described(index, name, values) for name in wanted)
    graph.value_info.extend(
        onnx.ValueInfoProto(name=name, type=index.types[name])
        for place in cone.nodes
        for name in index.nodes[place].output
        if name in index.types and name not in wanted
    )
    return model


def is_static(type_: onnx.TypeProto | None) -> bool:
    """Are dtype and every size known?"""
    if type_ is None or not type_.tensor_type.HasField("shape"):
        return False
    sizes = type_.tensor_type.shape.dim
    return bool(type_.tensor_type.elem_type) and all(d.HasField("dim_value") for d in sizes)


def shape_of(type_: onnx.TypeProto) -> tuple[int, ...]:
    """The sizes of a static type."""
    return tuple(d.dim_value for d in type_.tensor_type.shape.dim)


def _described(
    index: OnnxIndex, name: str, values: Mapping[str, torch.Tensor]
) -> onnx.ValueInfoProto:
    """A value with its type: as the whole model has it, else as its golden value shows."""
    known = index.types.get(name)
    if not is_static(known) and name in values:
        array = to_numpy(values[name])
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        return onnx.helper.make_tensor_value_info(name, kind, array.shape)
    return onnx.ValueInfoProto(name=name, type=known)


def _type(value: onnx.ValueInfoProto) -> TensorType:
    tensor = value.type.tensor_type
    dtype = onnx_program.torch_dtype(tensor.elem_type)
    shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim)
    return TensorType(shape, WIRE_NAMES.get(dtype, "?") if dtype else "?")


def _canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model, its values numbered in order and without names and notes."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    names: dict[str, str] = {}
    _rename(copy.graph, names, top=True)
    copy.graph.name = "main"
    return copy


def _rename(graph: onnx.GraphProto, names: dict[str, str], *, top: bool) -> None:
    def number(name: str) -> str:
        return names.setdefault(name, f"v{len(names)}") if name else ""

    for value in (*graph.input, *graph.initializer):
        value.name = number(value.name)
        value.ClearField("doc_string")
    for node in graph.node:
        for field in ("name", "doc_string", "metadata_props"):
            node.ClearField(field)
        _set(node.input, map(number, node.input))
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names, top=False)
            for inner in attribute.graphs:
                _rename(inner, names, top=False)
        _set(node.output, map(number, node.output))
    for value in (*graph.output, *graph.value_info):
        value.name = number(value.name)
        value.ClearField("doc_string")
    if not top:
        graph.ClearField("name")


def _set(field: object, names: Iterator[str]) -> None:
    values = list(names)
    del field[:]  # type: ignore[attr-defined] # a protobuf container
    field.extend(values)  # type: ignore[attr-defined]
