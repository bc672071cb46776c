# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""FX graphs split into ops: each stands alone, runs alone, and is what it was."""

import gc
import weakref
from typing import Any

import pytest
import torch

from bringup.harness.device_host.op_pool import OpPool
from bringup.harness.frontend import torch_program
from bringup.harness.frontend.fx_import import import_graph
from bringup.harness.mlir import LoweringError, TorchMlir, text_of
from bringup.harness.ops.fx_json import dumps, loads, owned
from bringup.harness.ops.torch_ops import count_ops, unique_ops
from bringup.harness.recording.recorder import TestRecorder
from tests.integration.split_models import MODELS, interpreted, lowered


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_torch_op_of_a_model_lowers_alone_and_computes_its_golden(
    name: str, recorder: TestRecorder, mlir: TorchMlir, interpreter: OpPool
) -> None:
    program, arguments = lowered(name, recorder)
    assert program.graph is not None
    counted = count_ops(program.graph)
    ops = 0
    for position, op in enumerate(unique_ops(program.graph, arguments)):
        assert counted[op.op.key] == (op.index, op.count, op.node) and op.index == position
        assert [tuple(t.shape) for t in op.inputs] == [t.shape for t in op.op.inputs]
        assert [tuple(t.shape) for t in op.golden] == [t.shape for t in op.op.outputs]
        module = import_graph(mlir, op.graph)
        mlir.to_backend(module)
        mlir.to_stablehlo(module)
        actual = interpreted(interpreter, mlir.portable(module), op.inputs)
        torch.testing.assert_close(actual, [g.contiguous() for g in op.golden], msg=op.node)
        ops += op.count
    assert ops == torch_program.node_count(program.graph)


def test_a_golden_that_is_not_needed_any_more_is_not_held(
    recorder: TestRecorder,
) -> None:
    program, arguments = lowered("pixels", recorder)
    assert program.graph is not None
    outputs = {n.name for n in program.graph.output_node().all_input_nodes}
    alive: list[weakref.ref[torch.Tensor]] = []
    for op in unique_ops(program.graph, arguments):
        if op.node not in outputs:
            alive += [weakref.ref(g) for g in op.golden]
        del op
        gc.collect()
        assert sum(ref() is not None for ref in alive) <= 8


def test_values_that_lead_to_no_needed_op_are_not_computed(
    recorder: TestRecorder,
) -> None:
    program, arguments = lowered("pixels", recorder)
    assert program.graph is not None
    whole = list(unique_ops(program.graph, arguments))
    last = whole[-1]
    arguments[-1] = torch.empty(0)  # the input: whatever is computed from it fails now
    none = list(unique_ops(program.graph, arguments, lambda op, index: False))
    assert [op.op for op in none] == [op.op for op in whole]
    assert all(op.inputs == op.golden == [] for op in none)
    with pytest.raises((RuntimeError, IndexError)):
        list(unique_ops(program.graph, arguments, lambda op, index: op == last.op))


class Branches(torch.nn.Module):
    """A number taken out of a tensor, a size that depends on data, and a graph for an argument."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        scaled = torch.cond(x.sum() > 0, lambda y: y.sin(), lambda y: y.cos(), (x,)) * x[0].item()
        return scaled, x.nonzero() + 1


def test_numbers_graphs_and_sizes_that_depend_on_data_are_part_of_ops() -> None:
    x = torch.tensor([2.0, 0.0, 3.0])
    graph = torch_program.decompose(torch_program.export(Branches(), ((x,), {}))).graph
    ops = {op.op.name: op for op in unique_ops(graph, [x])}
    product = ops["aten.mul.Tensor"]
    assert [t.dtype for t in product.op.inputs] == ["float32", "float64"]
    assert product.inputs[1].item() == 2.0 and product.op.attributes["other"] == "item(%1)"
    assert [t.shape for t in ops["aten.nonzero.default"].op.outputs] == [(-1, 1)]
    assert ops["aten.add.Tensor"].golden[0].tolist() == [[1], [3]]
    assert torch.equal(ops["cond"].golden[0], x.sin())
    assert not any(op.refused for op in ops.values())
    for name, op in ops.items():
        text = dumps(op.graph)
        again = loads(text)
        assert dumps(again) == text, "nothing is lost on the way"
        computed = torch.fx.Interpreter(owned(again, {})).run(*op.inputs)
        assert all(torch.equal(a, b) for a, b in zip(computed, op.golden, strict=True)), name


@pytest.mark.parametrize("name", ["aten.mul.Tensor", "cond"])
def test_an_op_from_its_json_is_imported_as_the_op_was(name: str) -> None:
    def said(graph: torch.fx.Graph) -> str:
        try:
            return text_of(import_graph(TorchMlir(), graph))
        except LoweringError as error:
            return str(error)

    x = torch.ones(3)
    graph = torch_program.decompose(torch_program.export(Branches(), ((x,), {}))).graph
    op = next(op for op in unique_ops(graph, [x]) if op.op.name == name)
    again = loads(dumps(op.graph))
    assert said(again) == said(op.graph)


def test_an_op_that_the_importer_rewrites_by_way_of_its_module_is_imported(mlir: TorchMlir) -> None:
    class Strided(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_strided(x, (2, 3), (2, 1))

    exported = torch.export.export(Strided(), (torch.arange(12.0),), strict=False)
    (op,) = unique_ops(torch_program.decompose(exported).graph, [torch.arange(12.0)])
    assert op.graph.owning_module is None
    assert "func.func @main" in text_of(import_graph(mlir, op.graph))


def test_what_the_importer_refuses_is_named_and_nothing_else_that_is_known_of_it() -> None:
    def chosen(x: torch.Tensor) -> torch.Tensor:
        return x

    class Twice(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    graph = torch_program.decompose(torch_program.export(Twice(), ((torch.ones(3),), {}))).graph
    (node,) = (node for node in graph.nodes if node.op == "call_function")
    node.target = chosen
    with pytest.raises(LoweringError) as refused:
        import_graph(TorchMlir(), graph)
    assert str(refused.value).endswith(f"call_function: target=<function {chosen.__qualname__}>")
    assert "stack_trace" in refused.value.diagnostic, "the whole is on record"


def test_a_graph_in_an_op_is_told_from_another_and_its_names_do_not_matter() -> None:
    class Other(torch.nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return torch.cond(z.sum() > 0, lambda q: q.sin(), lambda q: q.cos(), (z,))

    class Swapped(torch.nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return torch.cond(z.sum() > 0, lambda q: q.cos(), lambda q: q.sin(), (z,))

    def key(model: torch.nn.Module) -> str:
        exported = torch_program.export(model, ((torch.ones(3),), {}))
        ops = unique_ops(torch_program.decompose(exported).graph, [torch.ones(3)])
        return next(op.op.key for op in ops if op.op.name == "cond")

    assert key(Other()) == key(Branches())
    assert key(Other()) != key(Swapped())


class Factorised(torch.nn.Module):
    """torch checks both results, by ops that come with effect tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        square = x @ x.mT + 4 * torch.eye(4)
        return torch.linalg.cholesky(square) + torch.linalg.inv(square).sum()


def test_torchs_own_checks_are_taken_out_and_the_ops_around_them_stay() -> None:
    x = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    exported = torch_program.decompose(torch_program.export(Factorised(), ((x,), {})))
    signature = torch_program.signature_of(exported)
    assert [argument.name for argument in signature.arguments] == ["x"]
    ops = list(unique_ops(exported.graph, [x]))
    names = [op.op.name for op in ops]
    assert {"aten.linalg_cholesky_ex.default", "aten.linalg_inv_ex.default"} < set(names)
    assert not [name for name in names if "check" in name or "effects" in name]
    assert torch.allclose(ops[-1].golden[0], Factorised()(x))


def test_what_computes_no_tensor_is_no_op_and_what_has_no_text_is_refused() -> None:
    aten = torch.ops.aten
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    memory = graph.call_function(aten.empty_strided.default, ([2], [1]))
    check = graph.call_function(aten._assert_tensor_metadata.default, (x,))
    strange: Any = object()
    odd = graph.call_function(aten.mul.Tensor, (x, strange))
    negated = graph.call_function(aten.neg.default, (x,))
    graph.output((memory, negated))
    for node, value in ((x, []), (memory, [2]), (odd, []), (negated, [])):
        node.meta["val"] = torch.empty(value)
    check.meta["val"] = None
    ops = unique_ops(graph, [torch.tensor(2.0)], lambda op, index: index == 1)
    refused, op = ops
    assert op.node == "neg_default" and torch.equal(op.golden[0], torch.tensor(-2.0))
    assert "type object has no canonical text" in refused.refused
    assert refused.op.name == "aten.mul.Tensor" and refused.inputs == refused.golden == []
