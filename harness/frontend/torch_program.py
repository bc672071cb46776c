# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""torch.export, decomposition, and the graph as the importer wants it.

Exporting with `strict=False` gave one graph for every model tried and is faster than strict; the
table of decompositions is torch-mlir's own, since with an empty one attention, batch norm and
others do not legalise. Parameters and buffers become arguments: inlined, BERT-base costs 23 s and
3.2 GB instead of half a second and 1.1 GB.
"""

import dataclasses
import functools
import inspect
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import (
    ConstantArgument,
    InputKind,
    InputSpec,
    OutputKind,
    OutputSpec,
)
from torch.fx import Graph, Node
from torch.fx.experimental.proxy_tensor import make_fx

from bringup.harness.frontend import decompositions, experts
from bringup.harness.frontend.call import Call
from bringup.harness.frontend.eager import DenseEmbeddings, without_fast_paths
from bringup.harness.frontend.entry import MODEL, Entry
from bringup.harness.frontend.paths import BUFFERS, INPUTS, MUTATED, PARAMETERS
from bringup.harness.frontend.program import Constant, Mutation, Result, Signature, UserInput
from bringup.harness.frontend.refusals import ExportRefusal, explained
from bringup.harness.frontend.traced import said_to_export


def export(model: torch.nn.Module, call: Call) -> ExportedProgram:
    """Export a model for one call; the caller decides on eval or train mode before."""
    args, kwargs = call
    with (
        warnings.catch_warnings(),
        without_fast_paths(),
        said_to_export(),
        DenseEmbeddings(),
        explained(),
    ):
        warnings.simplefilter("ignore")
        exported: ExportedProgram = torch.export.export(model, args, kwargs, strict=False)
    return exported


def export_entry(entry: Entry) -> ExportedProgram:
    """Export a model by its entry, for the call the entry was made for."""
    exported = export(entry, ((), entry.tensors))
    if any(map(_writes, exported.graph.nodes)):
        _make_buffers(exported, entry)
    return exported


def _writes(node: Node) -> bool:
    return bool(getattr(getattr(node.target, "_schema", None), "is_mutable", False))


def _make_buffers(exported: ExportedProgram, entry: Entry) -> None:
    """Have attributes that are tensors and no buffers be buffers, in place: those may be written.

    Of a constant that is written, PyTorch decomposes nothing.
    """
    specs = exported.graph_signature.input_specs
    for place, spec in enumerate(specs):
        constant = exported.constants.get(spec.target or "")
        if spec.kind is InputKind.CONSTANT_TENSOR and entry.holds(constant, spec.target or ""):
            specs[place] = InputSpec(InputKind.BUFFER, spec.arg, spec.target, persistent=False)


def decompose(exported: ExportedProgram) -> ExportedProgram:
    """Decompose with torch-mlir's table and ours; parameters are shared, not copied."""
    _reshape(exported.graph)
    with warnings.catch_warnings(), explained():
        warnings.simplefilter("ignore")
        decomposed: ExportedProgram = exported.run_decompositions(
            {**decomposition_table(), **experts.table()}
        )
    _bound_slices(decomposed.graph)
    return decomposed


def _reshape(graph: Graph) -> None:
    """Make every view a reshape, in place.

    What a composite op gives lies in memory otherwise than what its decomposition gives: a layer
    norm of a transposed tensor is contiguous only in eager mode, so that a view of it holds there
    and nowhere else.
    """
    for node in graph.find_nodes(op="call_function", target=torch.ops.aten.view.default):
        node.target = torch.ops.aten.reshape.default


@functools.cache
def decomposition_table() -> Mapping[Any, Callable[..., Any]]:
    """What is decomposed; half a second to put together."""
    from torch_mlir.extras.fx_decomp_util import get_decomposition_table

    return {**get_decomposition_table(), **decompositions.TABLE}


def decomposed_call(module: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> Graph:
    """A call of a module without weights as `decompose` would leave it, outputs in a tuple.

    Traced without being exported, which takes a second: for programs of an op or two, which have
    no state, no containers and no branches.

    Raises:
        Exception: whatever a decomposition raises.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = make_fx(
            module, decomposition_table=dict(decomposition_table()), tracing_mode="fake"
        )(*inputs)
    graph: Graph = traced.graph
    if any(map(_writes, graph.nodes)):  # in a decomposition; only an export makes it functional
        functional: Graph = decompose(export(module, (tuple(inputs), {}))).graph
        return functional
    _bound_slices(graph)
    return graph


def _bound_slices(graph: Graph) -> None:
    """Say where a written slice begins and ends, in place: both inside the tensor, from its start.

    torch-mlir makes an index of every element up to the end, which is 2^63 - 1 for `x[:, 1:]`, and
    takes all memory for it; and it does not count from the end.
    """
    for node in graph.find_nodes(op="call_function", target=torch.ops.aten.slice_scatter.default):
        whole, part, *rest = node.args
        names = ("dim", "start", "end", "step")
        given = {"dim": 0, "start": None, "end": None, "step": 1}
        given |= dict(zip(names, rest, strict=False)) | node.kwargs
        size = whole.meta["val"].shape[given["dim"]]
        start, end, _ = slice(given["start"], given["end"]).indices(size)
        node.args = (whole, part, given["dim"], start, max(start, end), given["step"])
        node.kwargs = {}


def signature_of(
    exported: ExportedProgram,
    places: Mapping[str, str] | None = None,
    beside: Sequence[str] = (),
) -> Signature:
    """Make the graph importable, in place, and say how a call maps onto it.

    Placeholders that are no tensors go (their values are baked in). What the caller sees comes
    first among the outputs, then what parameters, buffers and inputs become that the call writes
    to, and what it leaves. `places` has the paths of inputs and attributes by the names they have
    in the program, and `beside` those of what the last outputs are. Checks that give nothing, as
    that a matrix could be factorised, go with the tokens that keep them in order, and so does what
    nobody uses, random numbers too.

    Raises:
        ExportRefusal: the program takes something else that no device can take.
    """
    graph = exported.graph
    _drop_checks(graph)
    placeholders = {n.name: n for n in graph.nodes if n.op == "placeholder"}
    arguments: list[UserInput | Constant] = []
    tokens: list[Node] = []
    leaf = 0
    for spec in exported.graph_signature.input_specs:
        node = placeholders[spec.arg.name]
        if spec.kind is InputKind.USER_INPUT:
            position, leaf = leaf, leaf + 1
            if isinstance(spec.arg, ConstantArgument) or not _is_tensor(node):
                _drop_placeholder(graph, node)
                continue
            value = node.meta["val"]
            arguments.append(UserInput(position, node.name, tuple(value.shape), value.dtype))
        elif spec.kind is InputKind.TOKEN:
            tokens.append(node)
        elif isinstance(exported.constants.get(spec.target or ""), torch.Generator):
            _draw_without(graph, node)
        else:
            arguments.append(constant_of(exported, spec))
    results, mutations = _keep_outputs(exported, places or {}, beside)
    graph.eliminate_dead_code(lambda node: node.is_impure(impure_random=False))
    for token in tokens:
        _drop_token(graph, token)
    return Signature(tuple(arguments), results, mutations=mutations)


def _drop_checks(graph: Graph) -> None:
    """Take out ops that are only there for their effect: an error where a check does not hold."""
    for node in list(graph.nodes):
        if node.target is torch.ops.higher_order.with_effects and not _checked(node).returns:
            for token in list(node.users):
                token.replace_all_uses_with(node.args[0])
                graph.erase_node(token)
            graph.erase_node(node)


def _checked(node: Node) -> torch.FunctionSchema:
    """The schema of the op that a `with_effects` node calls."""
    schema: torch.FunctionSchema = node.args[1]._schema  # type: ignore[union-attr]
    return schema


def _drop_token(graph: Graph, token: Node) -> None:
    for user in token.users:
        raise ExportRefusal(f"{user.args[1]} gives something and has an effect besides")
    graph.erase_node(token)


def _draw_without(graph: Graph, generator: Node) -> None:
    """Have ops draw as they do where nobody names a generator: a device has none of PyTorch's."""
    for node in list(generator.users):
        node.kwargs = {name: v for name, v in node.kwargs.items() if v is not generator}
        node.args = tuple(None if v is generator else v for v in node.args)
        packet, overload = node.target.overloadpacket, node.target._overloadname  # type: ignore[union-attr]
        plain = {"generator": "default", "low_generator": "low"}.get(overload, overload)
        node.target = getattr(packet, plain)
    graph.erase_node(generator)


def constant_of(exported: ExportedProgram, spec: InputSpec) -> Constant:
    """What belongs to the model among an exported program's inputs.

    Raises:
        ExportRefusal: it is something else.
    """
    target = spec.target or spec.arg.name
    name = target.removeprefix(MODEL)
    if spec.kind is InputKind.PARAMETER:
        return Constant(name, exported.state_dict[target].detach(), parameter=True)
    if spec.kind in (InputKind.BUFFER, InputKind.CONSTANT_TENSOR):
        value = exported.state_dict.get(target, exported.constants.get(target))
        if isinstance(value, torch.Tensor):
            return Constant(name, value.detach())
    raise ExportRefusal(f"the exported program takes {name}, a {spec.kind.name.lower()}")


def constants_of(exported: ExportedProgram) -> dict[str, Constant]:
    """What belongs to the model, by the names that `signature_of` gives; not two of one name.

    Raises:
        KeyError: two have one name.
    """
    kinds = (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR)
    specs = [spec for spec in exported.graph_signature.input_specs if spec.kind in kinds]
    found = {constant.name: constant for constant in (constant_of(exported, s) for s in specs)}
    if len(found) < len(specs):
        raise KeyError("two constants of one name")
    return found


def _is_tensor(node: Node) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor)


def _drop_placeholder(graph: Graph, node: Node) -> None:
    if node.users:
        raise ExportRefusal(f"input {node.name} is no tensor and is used in the graph")
    graph.erase_node(node)


_FORWARD = (OutputKind.USER_OUTPUT, OutputKind.LOSS_OUTPUT)
_VISIBLE = (
    *_FORWARD,
    OutputKind.GRADIENT_TO_PARAMETER,
    OutputKind.GRADIENT_TO_USER_INPUT,
)
_MUTATIONS = {
    OutputKind.BUFFER_MUTATION: MUTATED + BUFFERS,
    OutputKind.PARAMETER_MUTATION: MUTATED + PARAMETERS,
    OutputKind.USER_INPUT_MUTATION: MUTATED + INPUTS,
}
"""Kinds of outputs that the call writes to, and how their paths begin."""


def _keep_outputs(
    exported: ExportedProgram, places: Mapping[str, str], beside: Sequence[str]
) -> tuple[tuple[Result, ...], tuple[Mutation, ...]]:
    """Make the outputs of a graph what its caller gets, and then what the call writes to."""
    graph = exported.graph
    output = graph.output_node()
    kept: dict[Node, int] = {}
    results: list[Result] = []
    mutations: dict[str, int] = {}
    pairs = list(zip(exported.graph_signature.output_specs, output.args[0], strict=True))
    for spec, value in pairs:
        if spec.kind not in _VISIBLE:
            continue
        if isinstance(value, Node) and _is_tensor(value):
            results.append(Result(kept.setdefault(value, len(kept))))
        else:
            results.append(Result(None, value))
    last = sum(spec.kind in _FORWARD for spec, _ in pairs)  # gradients come behind them
    for path in reversed(beside):
        last -= 1
        index = results.pop(last).index
        if index is not None:
            mutations[path] = index
    for spec, value in pairs:
        if spec.kind in _MUTATIONS and isinstance(value, Node) and _is_tensor(value):
            path = _mutated_path(spec, places)
            mutations[path] = kept.setdefault(value, len(kept))
    output.args = (tuple(kept),)
    return tuple(results), tuple(Mutation(*m) for m in mutations.items())


def _mutated_path(spec: OutputSpec, places: Mapping[str, str]) -> str:
    target = spec.target or ""
    known = places.get(target, "")
    return MUTATED + known if known else _MUTATIONS[spec.kind] + target.removeprefix(MODEL)


def is_random(node: Node) -> bool:
    """Does the op draw from a random generator?"""
    tags = getattr(node.target, "tags", ())
    return node.op == "call_function" and torch.Tag.nondeterministic_seeded in tags


def random_op(graph: Graph) -> str | None:
    """The first op whose result is random, which no device can be compared on."""
    return next((str(node.target) for node in graph.nodes if is_random(node)), None)


def readable(exported: ExportedProgram) -> str:
    """The graph as text: targets, shapes and dtypes."""
    return str(exported.graph_module.print_readable(print_output=False))


def node_count(graph: Graph) -> int:
    """Operations in a graph, without placeholders, outputs and tuple accesses."""
    return sum(n.op == "call_function" and n.target is not operator.getitem for n in graph.nodes)


def parameter_count(model: torch.nn.Module) -> int:
    """Elements of all parameters, shared ones once."""
    return sum(p.numel() for p in model.parameters())


def accepts_call(model: torch.nn.Module, call: Call) -> None:
    """Refuse, in a sentence, inputs whose names the model's forward does not have.

    Raises:
        ExportRefusal: an input has a name forward does not take, or a part is not Python's.
    """
    for name, part in model.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            where = f"{name}: " if name else ""
            raise ExportRefusal(
                f"{where}TorchScript is not exported; give the module that it was made from"
            )
        if any(isinstance(held, torch.ScriptObject) for held in vars(part).values()):
            raise ExportRefusal(
                f"{name or type(part).__name__}: a quantised layer whose weights are packed for the"
                " CPU is not exported"
            )
    try:
        parameters = inspect.signature(model.forward).parameters
    except ValueError:  # one written in C++
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    unknown = [name for name in call[1] if name not in parameters]
    if unknown:
        raise ExportRefusal(
            f"{type(model).__name__}.forward takes no {unknown[0]!r}; "
            f"it takes {', '.join(parameters)}"
        )


def inline(exported: ExportedProgram, signature: Signature) -> Signature:
    """Turn every constant argument into a constant of the graph, in place."""
    graph = exported.graph
    placeholders = [n for n in graph.nodes if n.op == "placeholder"]
    kept = []
    for node, argument in zip(placeholders, signature.arguments, strict=True):
        if not isinstance(argument, Constant):
            kept.append(argument)
            continue
        exported.graph_module.register_buffer(node.name, argument.value)
        for user in list(node.users):  # the importer takes a constant node for one use only
            with graph.inserting_before(user):
                constant = graph.get_attr(node.name)
            constant.meta = dict(node.meta)
            user.replace_input_with(node, constant)
        graph.erase_node(node)
    return dataclasses.replace(signature, arguments=tuple(kept))
