# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An exported program by its content: what it is decomposed and lowered to depends on nothing else.

The graph is the model's source, its config, its shapes and dtypes and whatever its Python did, as
the export found them, each node with the lines of source that it comes from, since those are in the
artifact too; where the checkout lies is no part of it. Of parameters and buffers, which are
arguments, the layout counts, of other tensors the values; of buffers too where constants are
folded, which is computing with them. What has no written form, or runs code that no digest is of
(an op of somebody's own, a script object, a dynamic shape), makes a program one that is not kept.
"""

import functools
import hashlib
import re
from collections.abc import Mapping
from types import BuiltinFunctionType
from typing import Any

import torch
from torch._ops import HigherOrderOperator, OpOverload
from torch.export import ExportedProgram
from torch.export.graph_signature import (
    ConstantArgument,
    InputKind,
    TensorArgument,
    TokenArgument,
)
from torch.fx import GraphModule, Node
from torch.fx.node import _get_qualified_name

from bringup.harness.builds.sources import places_of_sources, without_places
from bringup.harness.dense import as_bytes
from bringup.harness.errors import HarnessError
from bringup.harness.frontend.torch_program import decomposition_table

_NAMESPACES = frozenset({"aten", "prims", "prim"})
"""Of ops that PyTorch brings; what an op of another does is in no digest of ours."""
_DIGESTED = frozenset({"torch", "torch_mlir", "bringup", "operator", "_operator", "math"})
"""Packages whose functions are in the key by their source, or are Python's own."""
_NAMED = (torch.dtype, torch.device, torch.layout, torch.memory_format)
_COUNTED = re.compile(r"<eval_with_key>\.\d+")
"""What PyTorch calls the sources that it writes: by how many the process had before."""
_TENSORS = (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)


class UnwrittenError(HarnessError):
    """Something of a program has no written form, so that nothing is kept of it."""


def digest_of(exported: ExportedProgram, *, values: bool = False) -> str:
    """A sha256 in hex: equal ones are decomposed and lowered to the same, by the same code.

    With `values` those of buffers are in it, so that what is computed of them is the same too.

    Raises:
        UnwrittenError: the program is one that is not kept.
    """
    writer = _Writer()
    signature = exported.graph_signature
    for side in (signature.input_specs, signature.output_specs):
        for spec in side:
            persistent = getattr(spec, "persistent", None)
            writer.say(spec.kind.name, _argument(spec.arg), spec.target, persistent)
    writer.tensors(exported.state_dict, values=False)
    if values:
        named = {spec.target for spec in signature.input_specs if spec.kind is InputKind.BUFFER}
        held = exported.state_dict.items()
        writer.tensors({name: value for name, value in held if name in named}, values=True)
    writer.tensors(exported.constants, values=True)
    writer.graph(exported.graph_module)
    return writer.hexdigest()


def digest_of_graph(
    module: GraphModule, parameters: Mapping[str, Any], buffers: Mapping[str, Any]
) -> str:
    """A sha256 in hex of a graph of dynamo's, and of the tensors it is given as state.

    Of parameters the layout counts. Nothing that it calls is anybody's own.

    Raises:
        UnwrittenError: something of it has no written form.
    """
    writer = _Writer()
    writer.tensors(parameters, values=False)
    writer.tensors(buffers, values=True)
    writer.graph(module)
    return writer.hexdigest()


def settings() -> dict[str, str]:
    """What PyTorch is told for the whole process, as far as it chooses other ops for it."""
    cuda = torch.backends.cuda
    return {
        "kernels from Python": ", ".join(_kernels()),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "dtype": str(torch.get_default_dtype()),
        "device": str(torch.get_default_device()),
        "gradients": str(torch.is_grad_enabled()),
        "deterministic": str(torch.are_deterministic_algorithms_enabled()),
        "autocast": f"{torch.is_autocast_enabled('cpu')} {torch.get_autocast_dtype('cpu')}",
        "attention": " ".join(
            str(enabled())
            for enabled in (
                *(cuda.flash_sdp_enabled, cuda.math_sdp_enabled),
                *(cuda.mem_efficient_sdp_enabled, cuda.cudnn_sdp_enabled),
                torch.backends.mha.get_fastpath_enabled,
            )
        ),
        "mkldnn": str(torch.backends.mkldnn.enabled),
        "precision": torch.get_float32_matmul_precision(),
    }


def _kernels() -> list[str]:
    """Kernels of ATen's ops that Python brought, but for those that PyTorch brings as it goes."""
    found = (name for name in torch.library._impls if name.startswith("aten/"))
    return sorted(name for name in found if not name.endswith(("/Meta", "/CUDA")))


def decompositions() -> dict[str, str]:
    """By what the ops of PyTorch are decomposed.

    Raises:
        UnwrittenError: one of them by what is no part of PyTorch, torch-mlir or the harness.
    """
    found = {}
    for op, by in decomposition_table().items():
        if op.namespace in _NAMESPACES:
            function = by.func if isinstance(by, functools.partial) else by
            package = str(getattr(function, "__module__", ""))
            if package.partition(".")[0] not in _DIGESTED:
                raise UnwrittenError(f"{op}, which {package or 'no package'} decomposes")
            found[str(op)] = f"{package}.{function.__qualname__}"
    return found


def function_name(function: Any) -> str:
    """A function by the name it has in a package that is digested.

    Raises:
        UnwrittenError: it is of another package, or has no name there.
    """
    module = getattr(function, "__module__", None)
    name = str(getattr(function, "__qualname__", ""))
    if module is None and isinstance(function, BuiltinFunctionType):  # `torch.add` and its like
        module, _, name = _get_qualified_name(function).rpartition(".")
    if str(module).partition(".")[0] not in _DIGESTED or not name or "<" in name:
        raise UnwrittenError(f"the function {function!r:.100}")
    return f"{module}.{name}"


class _Writer:
    """Writes values into a digest, each with what kind of value it is."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._places = places_of_sources()

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    def say(self, *values: Any) -> None:
        self._digest.update(repr(values).encode("utf-8", "surrogateescape") + b"\n")

    def graph(self, module: GraphModule) -> None:
        self.say("graph", len(module.graph.nodes))
        for node in module.graph.nodes:
            target = self._target(node, module)
            given = _written(node.args), _written(node.kwargs)
            value = _written(node.meta.get("val", node.meta.get("example_value")))
            lines = without_places(str(node.meta.get("stack_trace")), self._places)
            lines = _COUNTED.sub("<eval_with_key>", lines)
            self.say(node.op, node.name, target, *given, value, lines)

    def _target(self, node: Node, module: GraphModule) -> object:
        if node.op in ("placeholder", "output"):
            return str(node.target)
        if node.op == "call_function":
            return _function(node.target)
        if node.op == "call_method":  # of a tensor: dynamo has taken all else apart
            return "method", str(node.target)
        if node.op == "get_attr":
            self._attribute(str(node.target), module)
            return str(node.target)
        raise UnwrittenError(f"a node of kind {node.op}")

    def _attribute(self, path: str, module: GraphModule) -> None:
        value: Any = module
        for part in path.split("."):
            value = getattr(value, part)
        if isinstance(value, GraphModule):
            self.graph(value)
        else:
            self.tensors({path: value}, values=True)

    def tensors(self, tensors: Mapping[str, Any], *, values: bool) -> None:
        """Layouts by name, and which of them are one tensor; with `values`, the content too."""
        first: dict[int, str] = {}
        for name, tensor in tensors.items():
            if type(tensor) not in _TENSORS or tensor.layout is not torch.strided:
                raise UnwrittenError(f"{name}, a {type(tensor).__name__}")
            self.say(name, first.setdefault(id(tensor), name), _written(tensor))
            if values:
                self._digest.update(as_bytes(tensor.detach()).numpy().data)


def _argument(argument: Any) -> object:
    if type(argument) in (TensorArgument, TokenArgument):
        return type(argument).__name__, argument.name
    if type(argument) is ConstantArgument:
        return "constant", argument.name, _written(argument.value)
    raise UnwrittenError(f"an argument that is a {type(argument).__name__}")


def _function(target: Any) -> object:
    if isinstance(target, OpOverload):
        if target.namespace not in _NAMESPACES:
            raise UnwrittenError(f"the op {target}")
        return "op", str(target)
    if isinstance(target, HigherOrderOperator):
        return "higher order op", function_name(type(target)), str(target)
    return "function", function_name(target)


def _written(value: Any) -> object:
    """A value of a node, as something whose `repr` says all of it and nothing else says the same.

    Raises:
        UnwrittenError: there is nothing of that kind.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return "float", value.hex()
    if kind is complex:
        return "complex", value.real.hex(), value.imag.hex()
    if isinstance(value, Node):
        return "node", value.name
    if isinstance(value, _NAMED):
        return "torch", str(value)
    if isinstance(value, torch.Tensor):
        return _layout(value)
    if isinstance(value, dict):
        return "dict", [(_written(key), _written(held)) for key, held in value.items()]
    if value is Ellipsis:
        return ("ellipsis",)
    if isinstance(value, slice):
        return "slice", [_written(part) for part in (value.start, value.stop, value.step)]
    if isinstance(value, list | tuple):
        return "list" if isinstance(value, list) else "tuple", [_written(part) for part in value]
    if isinstance(value, OpOverload | HigherOrderOperator):
        return _function(value)
    raise UnwrittenError(f"{value!r:.100}, a {kind.__name__}")


def _layout(tensor: torch.Tensor) -> object:
    if tensor.layout is not torch.strided or tensor.is_quantized:
        raise UnwrittenError(f"a tensor of layout {tensor.layout}")
    return (
        "tensor",
        str(tensor.dtype),
        [_written(size) for size in tensor.shape],
        [_written(step) for step in tensor.stride()],
        _written(tensor.storage_offset()),
        (str(tensor.device), tensor.requires_grad, tensor.is_conj(), tensor.is_neg()),
        isinstance(tensor, torch.nn.Parameter),
    )
