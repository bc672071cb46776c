# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""From ONNX models that the real stack gets wrong, refuses or dies of to the nodes to blame.

The same search as for PyTorch models (`test_reduce`), over ONNX nodes, with onnxruntime's word.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bringup.harness.device_host.client import Device
from bringup.harness.errors import RecordError
from bringup.harness.frontend import onnx_program
from bringup.harness.graph.intermediates import walk
from bringup.harness.graph.onnx_graph import OnnxGraph
from bringup.harness.graph.onnx_part import OnnxPart
from bringup.harness.records.naming import identity_of
from bringup.harness.records.schema import Outcome, Stage
from bringup.harness.reduce.attempts import Attempts, sign_of, worker
from bringup.harness.reduce.model_reproducer import read_model
from bringup.harness.reduce.model_search import write_part
from bringup.harness.reduce.run_op import compared, reproduce
from bringup.harness.reduce.search import Found, Search, Subject
from bringup.harness.reproduce.reproducer import read_bytes_of, read_expected, write_bytes_of
from bringup.harness.verify import Tolerances, compare, mismatches
from tests.integration.harness.test_reduce import PART_S, SEARCH_S
from tests.integration.made_reproducers import run_python
from tests.integration.miniature.test_wrong_onnx import MIDDLES, Network
from tests.integration.pytest_runs import MINIATURE, run_pytest

TEST = f"{MINIATURE}/test_wrong_onnx.py::test_wrong_onnx"
FLOAT = TensorProto.FLOAT


def graph_of(model: onnx.ModelProto, x: torch.Tensor, *, inline: bool = False) -> OnnxGraph:
    prepared = onnx_program.prepare(model, {"x": x})
    weights = {} if inline else onnx_program.lift_weights(prepared)
    signature = onnx_program.signature_of(prepared, {"x": x}, weights)
    return OnnxGraph(prepared, signature.bind([x]))


def subject_of(model: onnx.ModelProto, x: torch.Tensor) -> Subject:
    def wrong(values: Sequence[torch.Tensor]) -> list[str]:
        golden = onnx_program.run_onnxruntime(model, {"x": x})
        return mismatches(compare(list(golden.values()), list(values)))

    return Subject(
        identity=identity_of("x.py::test_x_onnx[full-eval]", "cpu"),
        graph=graph_of(model, x),
        device="cpu",
        options={},
        tolerances=Tolerances(),
        node_tolerances=Tolerances(),
        wrong=wrong,
    )


def picture() -> torch.Tensor:
    return torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def network(name: str) -> onnx.ModelProto:
    model: onnx.ModelProto = Network().model(MIDDLES[name])
    return model


def model_of(
    nodes: Sequence[onnx.NodeProto],
    *,
    results: Sequence[str] = ("y",),
    custom: bool = False,
    **constants: Any,
) -> onnx.ModelProto:
    """x [2, 6] through some nodes."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", FLOAT, [2, 6])],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in results],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    domains = [helper.make_opsetid("", 17), *([helper.make_opsetid("custom", 1)] if custom else [])]
    return helper.make_model(graph, opset_imports=domains, ir_version=8)


def rows() -> torch.Tensor:
    return torch.arange(12, dtype=torch.float32).reshape(2, 6) - 5


@pytest.fixture(scope="module")
def cpu() -> Iterator[Device]:
    with worker("cpu") as device:
        yield device


def searched(subject: Subject, cpu: Device, folder: Path) -> tuple[Found, Path | None]:
    """Search, and write what was found."""
    with Attempts(cpu, subject.graph, {}, PART_S) as attempts:
        search = Search(
            subject, attempts, seconds=SEARCH_S, say=lambda line: None, save=lambda part: None
        )
        found = search.run(None, PART_S)
        smallest = found.smallest
        return found, write_part(folder, smallest, attempts, PART_S) if smallest else None


def ops_of(found: Found) -> list[str]:
    assert found.smallest is not None and found.smallest.minimal
    return [unit.op for unit in found.smallest.part.units]


def ends_the_same_alone(place: Path | None) -> bool:
    assert place is not None
    expected = read_expected(place)
    return compared(expected, reproduce(place, expected))[0]


# --- a wrong model --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "node", "value"),
    [
        ("ceil_pool", "onnx.MaxPool", "maxpool_4"),
        ("negative_modulus", "onnx.Mod", "mod_7"),
    ],
)
def test_a_node_that_is_wrong_alone_is_named_and_cut_out(
    cpu: Device, tmp_path: Path, name: str, node: str, value: str
) -> None:
    found, place = searched(subject_of(network(name), picture()), cpu, tmp_path)
    assert ops_of(found) == [node]
    assert found.walked is not None and found.walked.first_wrong is not None
    assert (found.walked.first_wrong.name, found.walked.first_wrong.target) == (value, node)
    assert found.sentences[-1] == f"With onnxruntime's value for {value} the model is right."
    assert ends_the_same_alone(place)
    assert place is not None
    part = onnx.load(place / "part.onnx")
    (golden,) = read_bytes_of(place, "golden")
    (given,) = read_bytes_of(place, "inputs")
    (computed,) = onnx_program.run_onnxruntime(part, {part.graph.input[0].name: given}).values()
    assert torch.equal(computed, golden), "the part is a model that others can run too"
    write_bytes_of(place, "golden", [])
    assert ends_the_same_alone(place), "one too large to keep is computed again"


def test_nodes_that_are_wrong_only_together_stay_together(cpu: Device, tmp_path: Path) -> None:
    found, place = searched(subject_of(network("fused"), picture()), cpu, tmp_path)
    assert ops_of(found) == ["onnx.Exp", "onnx.Log"]
    assert ends_the_same_alone(place)


# --- a model that does not run --------------------------------------------------------------


def test_a_refusal_of_the_conversion(cpu: Device, tmp_path: Path) -> None:
    found, place = searched(subject_of(network("refused"), picture()), cpu, tmp_path)
    assert ops_of(found) == ["onnx.LpPool"]
    failure = found.ended.failure
    assert failure is not None and failure.stage is Stage.TORCH_BACKEND_IR
    assert found.smallest is not None and sign_of(found.smallest.verdict) == found.ended.sign
    assert place is not None and read_bytes_of(place, "golden"), "it can be compared once it runs"
    assert ends_the_same_alone(place)


def test_a_conversion_that_dies_costs_one_attempt(cpu: Device, tmp_path: Path) -> None:
    found, place = searched(subject_of(network("unique"), picture()), cpu, tmp_path)
    assert (found.ended.outcome, ops_of(found)) == (Outcome.CRASHED, ["onnx.Unique"])
    assert ends_the_same_alone(place)


def test_a_refusal_of_the_importer(cpu: Device, tmp_path: Path) -> None:
    texts = helper.make_tensor("texts", TensorProto.STRING, [6], [b"2.5"] * 6)
    model = model_of(
        [
            helper.make_node("Constant", [], ["k"], value=texts),
            helper.make_node("Cast", ["k"], ["f"], to=FLOAT),
            helper.make_node("Relu", ["x"], ["a"]),
            helper.make_node("Add", ["a", "f"], ["b"]),
            helper.make_node("Neg", ["b"], ["y"]),
        ]
    )
    found, place = searched(subject_of(model, rows()), cpu, tmp_path)
    failure = found.ended.failure
    assert failure is not None and failure.stage is Stage.TORCH_IR
    assert ops_of(found) == ["onnx.Cast"], "constants come with whoever takes them"
    assert place is not None and not (place / "op.torch.mlir").exists()
    assert ends_the_same_alone(place)


def test_an_operator_that_nobody_knows_comes_with_what_takes_its_result(
    cpu: Device, tmp_path: Path
) -> None:
    model = model_of(
        [
            helper.make_node("Neg", ["x"], ["a"]),
            helper.make_node("Odd", ["a"], ["b"], domain="custom"),
            helper.make_node("Relu", ["b"], ["c"]),
            helper.make_node("Neg", ["c"], ["y"]),
        ],
        custom=True,
    )
    found, place = searched(subject_of(model, rows()), cpu, tmp_path)
    assert found.ended.outcome is Outcome.FAILED
    assert ops_of(found)[0] == "custom.Odd"
    assert ends_the_same_alone(place)


# --- parts and golden values ----------------------------------------------------------------


def branching() -> onnx.ModelProto:
    """A computed shape, a node with graphs inside, a sequence, several results."""

    def branch(name: str, kind: str) -> onnx.GraphProto:
        output = helper.make_tensor_value_info(f"{name}_y", FLOAT, [2, 6])
        return helper.make_graph(
            [helper.make_node(kind, ["scaled"], [f"{name}_y"])], name, [], [output]
        )

    return model_of(
        [
            helper.make_node("Mul", ["x", "two"], ["scaled"]),
            helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
            helper.make_node("Greater", ["sum", "two"], ["flag"]),
            helper.make_node(
                "If",
                ["flag"],
                ["chosen"],
                then_branch=branch("then", "Relu"),
                else_branch=branch("else", "Neg"),
            ),
            helper.make_node("SequenceConstruct", ["chosen", "scaled"], ["both"]),
            helper.make_node("ConcatFromSequence", ["both"], ["joined"], axis=1),
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("Mul", ["shape", "sizes"], ["wanted"]),
            helper.make_node("Reshape", ["joined", "wanted"], ["y"]),
        ],
        results=("y", "sum"),
        two=np.float32(2),
        sizes=np.array([2, 1]),
    )


def test_any_set_of_nodes_is_a_model_and_golden_values_feed_it() -> None:
    model = branching()
    graph = graph_of(model, rows())
    golden = onnx_program.run_onnxruntime(model, {"x": rows()})
    for ours, name in zip(graph.golden(graph.results), golden, strict=True):
        assert torch.equal(ours, golden[name])
    for chosen in range(1, 2 ** len(graph.units)):
        part = graph.cut([unit for i, unit in enumerate(graph.units) if chosen >> i & 1])
        if part.outputs:  # a sequence alone gives none
            agrees_alone(graph, part)


def agrees_alone(graph: OnnxGraph, part: OnnxPart) -> None:
    onnx.checker.check_model(part.model)
    feeds = dict(zip(part.inputs, graph.golden(part.inputs), strict=True))
    got = onnx_program.run_onnxruntime(part.model, feeds)
    for name, theirs in zip(part.outputs, graph.golden(part.outputs), strict=True):
        assert torch.equal(got[name], theirs)


def test_shapes_stay_constants_wherever_the_graph_is_cut() -> None:
    graph = graph_of(branching(), rows())
    (reshape,) = [unit for unit in graph.units if unit.op == "onnx.Reshape"]
    part = graph.cut([reshape])
    assert part.inputs == ("joined",)
    (shape,) = part.model.graph.initializer
    assert (shape.name, numpy_helper.to_array(shape).tolist()) == ("wanted", [4, 6])


def test_every_node_of_a_network_lowers_alone(cpu: Device) -> None:
    graph = graph_of(network("ceil_pool"), picture())
    with Attempts(cpu, graph, {}, PART_S) as attempts:
        ended = {
            unit.values[0]: attempts.verdict(graph.cut([unit]), Tolerances()).outcome
            for unit in graph.units
        }
    assert [name for name in ended if ended[name] is not Outcome.PASSED] == ["maxpool_4"]


def test_weights_are_arguments_of_a_part_unless_they_are_inlined(cpu: Device) -> None:
    for inline in (False, True):
        graph = graph_of(network("ceil_pool"), picture(), inline=inline)
        part = graph.cut(graph.units[1:2])
        assert len(part.inputs) == (1 if inline else 2)
        assert len(part.model.graph.initializer) == (1 if inline else 0)
        with Attempts(cpu, graph, {}, PART_S) as attempts:
            assert attempts.verdict(part, Tolerances()).outcome is Outcome.PASSED


def test_golden_values_are_the_same_kept_or_computed_again() -> None:
    model, x = network("ceil_pool"), picture()
    prepared = onnx_program.prepare(model, {"x": x})
    kept, forgetful = (OnnxGraph(prepared, [x], kept_bytes=size) for size in (1 << 30, 5_000))
    names = [name for unit in kept.units for name in unit.values]
    for name in (*names[::3], *names[::-4]):
        assert torch.equal(kept.golden([name])[0], forgetful.golden([name])[0])
        assert forgetful.values.kept_bytes <= 5_000


def test_a_part_is_known_by_its_content_and_not_by_its_names() -> None:
    def key(names: str, *, two: float = 2.0) -> str:
        a, b = names
        nodes = [
            helper.make_node("Mul", ["x", "two"], [a], name=f"node {a}"),
            helper.make_node("Relu", [a], [b]),
            helper.make_node("Neg", [b], ["y"]),
        ]
        graph = graph_of(model_of(nodes, two=np.float32(two)), rows())
        return graph.cut(graph.units[:2]).op().key

    assert key("ab") == key("ba") != key("ab", two=3.0)
    graph = graph_of(branching(), rows())
    names = [graph.cut(graph.units[:count]).op().name for count in (1, 2, 4)]
    assert names == ["onnx.Mul", "onnx.Mul+onnx.ReduceSum", "4 ops to onnx.If"]


def test_a_walk_names_the_first_node_that_is_wrong(cpu: Device) -> None:
    graph = graph_of(network("negative_modulus"), picture())
    seen: list[str] = []
    report = walk(
        graph, cpu, Tolerances(), callbacks=[lambda name, ours, theirs: seen.append(name)]
    )
    assert seen == [name for unit in graph.units for name in unit.values]
    assert report.first_wrong is not None and report.first_wrong.target == "onnx.Mod"
    assert report.wrong < report.nodes == len(seen)


def test_cuts_do_not_depend_on_the_order_of_asking() -> None:
    graph = graph_of(network("fused"), picture())
    shuffled = random.Random(0).sample(graph.units, len(graph.units))
    for size in range(1, len(shuffled) + 1):
        chosen = shuffled[:size]
        parts = [graph.cut(order) for order in (chosen, chosen[::-1])]
        assert parts[0].model == parts[1].model
        places = [unit.place for unit in parts[0].units]
        assert all(a < b for a, b in itertools.pairwise(places))


# --- as users meet it -----------------------------------------------------------------------


def test_from_a_failing_test_to_the_node_alone(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    test = f"{TEST}[full-eval-ceil_pool]"
    done = run_pytest(run_dir, test, "--device", "cpu")
    command = f"nox -s repro -- '{test}' --device cpu"
    assert done.code == 1 and command in done.output, "the failure says how to go on"

    said = run_python(
        "-m", "bringup.harness.repro", test, "--device", "cpu", "--results", str(tmp_path)
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "The model ended INCORRECT" in said.stdout and "the same as expected" in said.stdout
    assert "maxpool_4 (onnx.MaxPool) is the first value to leave tolerance" in said.stdout
    assert "1 of 14 ops are the smallest part: onnx.MaxPool" in said.stdout
    after = read_model(run_dir / "repro" / "wrong_onnx-full-ceil_pool-eval-cpu")
    assert after is not None and after.reduced is not None and after.reduced.minimal
    place = run_dir / "repro" / after.reduced.directory
    files = {path.name for path in place.iterdir()}
    assert {"part.onnx", "part.onnx.txt", "op.stablehlo.mlir", "golden.bin", "run.py"} <= files
    alone = run_python(str(place / "run.py"))
    assert alone.returncode == 0 and "the same as expected." in alone.stdout

    (place / "part.onnx").write_bytes(b"no model")
    broken = run_python(str(place / "run.py"))
    assert broken.returncode == 2 and "this is no ONNX model" in broken.stderr


def test_a_damaged_part_is_one_sentence(cpu: Device, tmp_path: Path) -> None:
    _, place = searched(subject_of(network("refused"), picture()), cpu, tmp_path)
    assert place is not None
    (place / "part.onnx").write_bytes(b"no model")
    with pytest.raises(RecordError, match="this is no ONNX model"):
        reproduce(place, read_expected(place))
