# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models and modules split into ops: each stands alone, runs alone, and is what it was."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_mlir import ir

from harness import CompilerConfig, recording
from harness.devices.op_run import OpJob, OpRun
from harness.frontend import torch_program
from harness.frontend.fx_import import import_graph
from harness.frontend.mlir import (
    BACKEND_PIPELINE,
    LoweringError,
    TorchMlir,
    main_of,
    read,
    text_of,
)
from harness.frontend.torch_program import call_of
from harness.lowering import Program, lower_torch
from harness.op_by_op.fx_json import dumps, loads, owned
from harness.op_by_op.pool import OpPool
from harness.op_by_op.reference import seeded_inputs
from harness.op_by_op.stablehlo_ops import StablehloOp, operations_of, split
from harness.op_by_op.torch_ops import count_ops, unique_ops
from harness.records.naming import identity_of


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[recording.TestRecorder]:
    monkeypatch.setenv("BRINGUP_RUN_DIR", str(tmp_path))
    recording.reset_run()
    yield recording.TestRecorder(identity_of("x.py::test_x[full-eval]", "cpu"), "x.py::test_x")
    recording.reset_run()


@pytest.fixture(scope="module")
def mlir() -> TorchMlir:
    return TorchMlir()


@pytest.fixture(scope="module")
def interpreter() -> Iterator[OpPool]:
    with OpPool("interpreter", 1) as pool:
        yield pool


def asked(interpreter: OpPool, artifact: bytes, inputs: list[torch.Tensor]) -> OpRun:
    job = OpJob(stablehlo=artifact, inputs=tuple(inputs), execute=True)
    return interpreter.submit(job).result()


def interpreted(
    interpreter: OpPool, artifact: bytes, inputs: list[torch.Tensor]
) -> list[torch.Tensor]:
    run = asked(interpreter, artifact, inputs)
    assert run.outputs is not None, run.failure
    return list(run.outputs)


class Encoder(torch.nn.Module):
    """Two layers of a BERT, with its mask and its positions."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(20, 16)
        self.positions = torch.nn.Embedding(8, 16)
        layer = torch.nn.TransformerEncoderLayer(16, 2, 32, 0.0, "gelu", batch_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.pooler = torch.nn.Linear(16, 16)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hidden = self.words(ids) + self.positions(torch.arange(ids.shape[1]))
        hidden = self.layers(hidden, src_key_padding_mask=mask == 0)
        return hidden, torch.tanh(self.pooler(hidden[:, 0]))


class Pixels(torch.nn.Module):
    """Convolutions, norms, pools, and ops of several results."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(4)
        self.depth = torch.nn.Conv2d(4, 4, 3, groups=4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = torch.relu(self.norm(self.first(x)))
        x = torch.nn.functional.max_pool2d(self.depth(x), 2)
        left, right = x.split(2, dim=1)
        values, order = torch.cat([right, left], dim=1).flatten(1).sort(dim=-1)
        return torch.nn.functional.adaptive_avg_pool2d(x, 1), values, order


MODELS = {
    "encoder": (Encoder, {"ids": torch.arange(16).reshape(2, 8), "mask": torch.ones(2, 8)}),
    "pixels": (Pixels, {"x": torch.randn(1, 3, 16, 16)}),
}


def lowered(name: str, recorder: recording.TestRecorder) -> tuple[Program, list[torch.Tensor]]:
    torch.manual_seed(0)
    build, inputs = MODELS[name]
    with torch.no_grad():
        program = lower_torch(build().eval(), call_of(inputs), CompilerConfig(), recorder)
    assert program.signature is not None
    return program, program.signature.bind(program.flatten(call_of(inputs)))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_torch_op_of_a_model_lowers_alone_and_computes_its_golden(
    name: str, recorder: recording.TestRecorder, mlir: TorchMlir, interpreter: OpPool
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
        mlir.run(module, BACKEND_PIPELINE)
        mlir.to_stablehlo(module)
        actual = interpreted(interpreter, mlir.portable(module), op.inputs)
        torch.testing.assert_close(actual, [g.contiguous() for g in op.golden], msg=op.node)
        ops += op.count
    assert ops == torch_program.node_count(program.graph)


def test_a_golden_that_is_not_needed_any_more_is_not_held(
    recorder: recording.TestRecorder,
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
    recorder: recording.TestRecorder,
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


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_stablehlo_op_of_a_model_stands_alone(
    name: str, recorder: recording.TestRecorder, mlir: TorchMlir, interpreter: OpPool
) -> None:
    program, _ = lowered(name, recorder)
    assert program.artifact is not None
    ops = split(program.artifact, mlir)
    whole = list(operations_of(main_of(read(mlir, program.artifact))))
    assert sum(op.count for op in ops) == len(whole)
    assert [op.index for op in ops] == list(range(len(ops)))
    for op in ops:
        checked(op, mlir, interpreter)


def checked(op: StablehloOp, mlir: TorchMlir, interpreter: OpPool) -> list[torch.Tensor]:
    """Outputs of one op alone, which splits into itself and takes and gives what it says."""
    (again,) = split(op.artifact, mlir)
    assert again.op == op.op and again.artifact == op.artifact
    inputs = seeded_inputs(op, mlir)
    assert [tuple(t.shape) for t in inputs] == [t.shape for t in op.input_types]
    repeated = seeded_inputs(op, mlir)
    assert all(torch.equal(a, b) for a, b in zip(inputs, repeated, strict=True))
    outputs = interpreted(interpreter, op.artifact, inputs)
    assert [tuple(t.shape) for t in outputs] == [t.shape for t in op.op.outputs]
    return outputs


# --- by hand --------------------------------------------------------------------------------

REGIONS = """
func.func private @gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.tanh %x : tensor<4xf32>
  %1 = func.call @deeper(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func private @deeper(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.negate %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main(%m: tensor<4x8xf32>, %s: tensor<f32>, %v: tensor<4xf32>, %i: tensor<i32>,
                %where: tensor<3x1xi64>, %im: tensor<1x4x4x1xf32>, %src: tensor<1x2x2x1xf32>)
    -> tensor<4xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %count = stablehlo.constant dense<3> : tensor<i64>
  %one = stablehlo.constant dense<1> : tensor<i64>
  %begin = stablehlo.constant dense<0> : tensor<i64>
  %reduce = "stablehlo.reduce"(%m, %zero) <{dimensions = array<i64: 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.add %a, %b : tensor<f32>
      %1 = stablehlo.multiply %0, %s : tensor<f32>
      stablehlo.return %1 : tensor<f32>
    }) : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %sort = "stablehlo.sort"(%m) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    }) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %while:2 = stablehlo.while(%n = %begin, %x = %v) : tensor<i64>, tensor<4xf32>
    cond {
      %0 = stablehlo.compare LT, %n, %count : (tensor<i64>, tensor<i64>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    } do {
      %0 = stablehlo.add %n, %one : tensor<i64>
      %1 = stablehlo.add %x, %reduce : tensor<4xf32>
      %2 = func.call @deeper(%1) : (tensor<4xf32>) -> tensor<4xf32>
      stablehlo.return %0, %2 : tensor<i64>, tensor<4xf32>
    }
  %case = "stablehlo.case"(%i) ({
      stablehlo.return %v : tensor<4xf32>
    }, {
      %0 = stablehlo.add %v, %while#1 : tensor<4xf32>
      stablehlo.return %0 : tensor<4xf32>
    }) : (tensor<i32>) -> tensor<4xf32>
  %updates = "stablehlo.slice"(%m) <{start_indices = array<i64: 0, 0>,
      limit_indices = array<i64: 3, 8>, strides = array<i64: 1, 1>}>
    : (tensor<4x8xf32>) -> tensor<3x8xf32>
  %scatter = "stablehlo.scatter"(%m, %where, %updates) <{
      scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1],
        inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>,
      indices_are_sorted = false, unique_indices = false}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      stablehlo.return %b : tensor<f32>
    }) : (tensor<4x8xf32>, tensor<3x1xi64>, tensor<3x8xf32>) -> tensor<4x8xf32>
  %gather = "stablehlo.gather"(%m, %where) <{
      dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0],
        start_index_map = [0], index_vector_dim = 1>,
      slice_sizes = array<i64: 1, 8>, indices_are_sorted = false}>
    : (tensor<4x8xf32>, tensor<3x1xi64>) -> tensor<3x8xf32>
  %window = "stablehlo.reduce_window"(%im, %zero) <{window_dimensions = array<i64: 1, 2, 2, 1>,
      window_strides = array<i64: 1, 2, 2, 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.maximum %a, %b : tensor<f32>
      stablehlo.return %0 : tensor<f32>
    }) : (tensor<1x4x4x1xf32>, tensor<f32>) -> tensor<1x2x2x1xf32>
  %spread = "stablehlo.select_and_scatter"(%im, %src, %zero) <{
      window_dimensions = array<i64: 1, 2, 2, 1>, window_strides = array<i64: 1, 2, 2, 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.compare GE, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %0 : tensor<i1>
    }, {
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %0 = stablehlo.add %a, %b : tensor<f32>
      stablehlo.return %0 : tensor<f32>
    }) : (tensor<1x4x4x1xf32>, tensor<1x2x2x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %gelu = stablehlo.composite "x.gelu" %case {decomposition = @gelu}
    : (tensor<4xf32>) -> tensor<4xf32>
  %called = func.call @deeper(%gelu) : (tensor<4xf32>) -> tensor<4xf32>
  %sum = stablehlo.add %called, %called : tensor<4xf32>
  %more = stablehlo.add %sum, %v : tensor<4xf32>
  return %more : tensor<4xf32>
}
"""


def artifact_of(mlir: TorchMlir, text: str) -> bytes:
    return mlir.portable(ir.Module.parse(text, mlir.context))


@pytest.fixture(scope="module")
def ops(mlir: TorchMlir) -> dict[str, StablehloOp]:
    return {op.op.name: op for op in split(artifact_of(mlir, REGIONS), mlir)}


def test_ops_come_in_order_and_those_of_a_called_function_in_place_of_the_call(
    ops: dict[str, StablehloOp],
) -> None:
    named = [name.removeprefix("stablehlo.") for name in ops]
    assert named == [
        *("reduce", "sort", "while", "case", "slice", "scatter", "gather", "reduce_window"),
        *("select_and_scatter", "composite", "negate", "add"),
    ]
    assert ops["stablehlo.add"].count == 2
    assert sum(op.count for op in ops.values()) == 13


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("reduce", ["add", "multiply"]),
        ("sort", ["compare"]),
        ("while", ["compare", "add", "func.call"]),
        ("case", ["add"]),
        ("scatter", ["stablehlo.return"]),
        ("reduce_window", ["maximum"]),
        ("select_and_scatter", ["compare", "add"]),
        ("composite", ["func.func private @gelu", "func.func private @deeper", "negate"]),
    ],
)
def test_regions_and_functions_come_along(
    name: str,
    inside: list[str],
    ops: dict[str, StablehloOp],
    mlir: TorchMlir,
    interpreter: OpPool,
) -> None:
    op = ops[f"stablehlo.{name}"]
    text = str(read(mlir, op.artifact).operation.get_asm(print_generic_op_form=False))
    assert all(part.replace("func.call", "call @") in text for part in inside)
    checked(op, mlir, interpreter)


def test_what_a_region_captures_becomes_an_argument(ops: dict[str, StablehloOp]) -> None:
    shapes = {name: [t.shape for t in op.input_types] for name, op in ops.items()}
    assert shapes["stablehlo.reduce"] == [(4, 8), ()]
    assert shapes["stablehlo.while"] == [(4,), (4,)]
    assert shapes["stablehlo.case"] == [(), (4,), (4,)]


def test_the_interpreter_gives_what_the_op_means(
    ops: dict[str, StablehloOp], mlir: TorchMlir, interpreter: OpPool
) -> None:
    def both(name: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        op = ops[f"stablehlo.{name}"]
        inputs = seeded_inputs(op, mlir)
        return inputs, interpreted(interpreter, op.artifact, inputs)

    (matrix,), (ordered,) = both("sort")
    assert torch.equal(ordered, matrix.sort(dim=1).values)
    (matrix, where), (rows,) = both("gather")
    assert torch.equal(rows, matrix[where[:, 0]]) and len(set(where[:, 0].tolist())) == 3
    (matrix, where, updates), (written,) = both("scatter")
    assert torch.equal(written, matrix.index_copy(0, where[:, 0], updates))
    (x,), (y,) = both("composite")
    torch.testing.assert_close(y, -x.tanh())
    (x, step), (rounds, y) = both("while")
    torch.testing.assert_close(y, -(-(-(x + step) + step) + step))
    assert rounds.item() == 3


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32", "f64", "i8", "ui8", "i32", "i64"])
def test_values_of_every_common_type_go_in_and_out(
    dtype: str, mlir: TorchMlir, interpreter: OpPool
) -> None:
    t = f"tensor<2x3x{dtype}>"
    text = f"""func.func @main(%a: {t}, %b: {t}) -> {t} {{
        %0 = stablehlo.add %a, %b : {t}
        return %0 : {t}
    }}"""
    (op,) = split(artifact_of(mlir, text), mlir)
    a, b = seeded_inputs(op, mlir)
    (total,) = interpreted(interpreter, op.artifact, [a, b])
    assert total.dtype == a.dtype and torch.equal(total, a + b)


def test_bytes_that_are_no_module_are_refused_in_a_sentence() -> None:
    with pytest.raises(LoweringError):
        split(b"garbage")


def test_the_artifact_of_an_op_says_nothing_of_where_it_was(mlir: TorchMlir) -> None:
    def of(place: str, name: str) -> StablehloOp:
        text = f"""func.func @main(%{name}: tensor<4xf32>) -> tensor<4xf32> {{
            %0 = stablehlo.tanh %{name} : tensor<4xf32> loc({place})
            return %0 : tensor<4xf32>
        }}"""
        return split(artifact_of(mlir, text), mlir)[0]

    here, there = of('"layer.1"', "x"), of('"net.py":3:7', "hidden")
    assert here.artifact == there.artifact and here.op == there.op
    assert (here.node, there.node) == ("layer.1", "stablehlo.tanh_0")
