# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What a tester gives an ONNX model, and whether the model is one that can be tested at all."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import torch

from bringup.harness.dense import DenseError, from_numpy
from bringup.harness.errors import HarnessError
from bringup.harness.frontend.program import dtype_kind

_TRAINING_MODE = 2
"""Which input of `Dropout` says whether anything is dropped; without it, nothing is."""
STANDARD = ("", "ai.onnx")
"""Names of the domain of ONNX's own operators."""
_RANDOM = frozenset(
    {
        *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"),
        *("Bernoulli", "Multinomial"),
    }
)
"""Operators that draw random numbers, whatever they are given."""
_OVERRIDABLE = 4
"""The IR version since which an initialiser that is an input too may be given another value."""


_KINDS = {
    "sequence_type": "a sequence",
    "optional_type": "an optional",
    "map_type": "a map",
    "sparse_tensor_type": "a sparse tensor",
    "opaque_type": "opaque",
}


class OnnxRefusal(HarnessError):
    """The ONNX model or its inputs are not what the flow can take."""


# --- the model ------------------------------------------------------------------------------


def check(model: onnx.ModelProto) -> None:
    """Refuse, in a sentence, a model that nobody could run.

    Raises:
        OnnxRefusal: weights were not loaded, or it uses operators of a domain it does not import.
    """
    for tensor in tensors_of(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            place = next((e.value for e in tensor.external_data if e.key == "location"), "a file")
            raise OnnxRefusal(
                f"the data of {tensor.name or 'a tensor'} lies in {place} and was not loaded; load"
                " the model by onnx.load(path), or its data by onnx.load_external_data_for_model"
            )
    imported = {_domain(opset.domain) for opset in model.opset_import}
    for graph in graphs_of(model.graph):
        for node in graph.node:
            if _domain(node.domain) not in imported:
                whose = node.domain or "ONNX itself"
                raise OnnxRefusal(
                    f"the model uses {node.op_type} of {whose} and imports no opset of that"
                )


def _domain(name: str) -> str:
    return "" if name in STANDARD else name


def draws(node: onnx.NodeProto) -> bool:
    """May an operator draw random numbers?"""
    if node.op_type == "Dropout":
        return len(node.input) > _TRAINING_MODE and bool(node.input[_TRAINING_MODE])
    return node.op_type in _RANDOM


def graphs_of(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and all those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            inner = [attribute.g] if attribute.HasField("g") else []
            for found in (*inner, *attribute.graphs):
                yield from graphs_of(found)


def tensors_of(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor a model has inside: initialisers, sparse ones' parts, attributes."""
    for graph in graphs_of(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                yield from (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors)


def result_names(model: onnx.ModelProto) -> list[str]:
    """A name for each output; one that is listed twice gets a number."""
    names: list[str] = []
    for output in model.graph.output:
        count = sum(output.name == other.name for other in model.graph.output[: len(names)])
        names.append(f"{output.name} ({count + 1})" if count else output.name)
    return names


def torch_dtype(kind: int) -> torch.dtype | None:
    """The dtype of an ONNX element type; None where torch has none."""
    try:
        array = np.empty(0, onnx.helper.tensor_dtype_to_np_dtype(kind))
        return from_numpy(array).dtype
    except (KeyError, TypeError, DenseError):
        return None


def type_name(type_: onnx.TypeProto) -> str:
    """What a value is, in words; empty for a tensor of numbers."""
    kind = type_.WhichOneof("value") or "of no type"
    if kind != "tensor_type":
        return _KINDS.get(kind, kind)
    element = type_.tensor_type.elem_type
    if element == onnx.TensorProto.STRING:
        return "a tensor of strings"
    if torch_dtype(element) is None:
        known = element in onnx.TensorProto.DataType.values()
        name = onnx.TensorProto.DataType.Name(element) if known else str(element)
        return f"a tensor of {name.lower()}"
    return ""


# --- its inputs -----------------------------------------------------------------------------


def input_names(model: onnx.ModelProto) -> list[str]:
    """Inputs that have to be given: those that no initialiser has a value for."""
    weights = weight_names(model)
    return [i.name for i in model.graph.input if i.name not in weights]


def weight_names(model: onnx.ModelProto) -> set[str]:
    """Names of the initialisers, sparse ones too."""
    graph = model.graph
    return {w.name for w in graph.initializer} | {s.values.name for s in graph.sparse_initializer}


def named_inputs(model: onnx.ModelProto, inputs: Any) -> dict[str, torch.Tensor]:
    """A tester's inputs by ONNX input name, in the model's order, of the dtypes it declares.

    An input that is an initialiser too has that for a default. A dtype is never changed to one of
    another kind.

    Raises:
        OnnxRefusal: one is missing, unknown, of another kind or shape, or no tensor.
    """
    needed, given = input_names(model), _by_name(model, inputs)
    missing = [name for name in needed if name not in given]
    if missing:
        raise OnnxRefusal(
            f"input {missing[0]!r} of the model is not given; it takes {', '.join(needed)}"
        )
    return {i.name: _fitting(i, given[i.name]) for i in model.graph.input if i.name in given}


def _by_name(model: onnx.ModelProto, inputs: Any) -> dict[str, Any]:
    weights = weight_names(model)
    declared = [i.name for i in model.graph.input]
    defaults = [name for name in declared if name in weights]
    if model.ir_version < _OVERRIDABLE:
        declared = [name for name in declared if name not in weights]
    names = ", ".join(declared) or "none"
    if isinstance(inputs, Mapping):
        for name in inputs:
            if name in weights and name not in declared:
                old = f" in IR version {model.ir_version}" if name in defaults else ""
                said = f"{name!r} is a weight of the model{old} and no input"
                raise OnnxRefusal(f"{said}; it has {names}")
            if name not in declared:
                raise OnnxRefusal(f"the model has no input {name!r}; it has {names}")
        return dict(inputs)
    values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    needed = [name for name in declared if name not in weights]
    for wanted in (needed, declared):
        if len(wanted) == len(values):
            return dict(zip(wanted, values, strict=True))
    raise OnnxRefusal(f"{len(values)} inputs given, the model takes {', '.join(needed) or 'none'}")


def _fitting(value: onnx.ValueInfoProto, given: Any) -> torch.Tensor:
    """One input as the model declares it."""
    what = type_name(value.type)
    if what:
        raise OnnxRefusal(f"input {value.name} is {what}; only tensors of numbers can be given")
    try:
        array = isinstance(given, np.ndarray | np.generic)
        tensor = from_numpy(np.asanyarray(given)) if array else torch.as_tensor(given)
    except (DenseError, ValueError, TypeError, RuntimeError) as error:
        said = f"input {value.name} is given as a {type(given).__name__}, which is no tensor"
        raise OnnxRefusal(said) from error
    declared = torch_dtype(value.type.tensor_type.elem_type)
    assert declared is not None, "a tensor of numbers has a dtype"
    if dtype_kind(tensor.dtype) != dtype_kind(declared):
        raise OnnxRefusal(f"input {value.name} is {tensor.dtype}, the model takes {declared}")
    check_shape(value, tuple(tensor.shape))
    return tensor.to(declared)


def check_shape(value: onnx.ValueInfoProto, shape: tuple[int, ...]) -> None:
    """Refuse a shape that an input is not declared to have.

    Raises:
        OnnxRefusal: it has another rank, or another size where a size is declared.
    """
    if not value.type.tensor_type.HasField("shape"):
        return
    dims = value.type.tensor_type.shape.dim
    if len(dims) != len(shape):
        raise OnnxRefusal(f"input {value.name} has rank {len(shape)}, the model takes {len(dims)}")
    for dim, size in zip(dims, shape, strict=True):
        if dim.HasField("dim_value") and dim.dim_value > 0 and dim.dim_value != size:
            raise OnnxRefusal(
                f"input {value.name} has shape {shape}, which the model does not take: it takes"
                f" {_shape_text(dims)}"
            )


def _shape_text(dims: Any) -> str:
    sizes = (str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in dims)
    return f"({', '.join(sizes)})"
