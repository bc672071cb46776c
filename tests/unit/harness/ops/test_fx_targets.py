# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A graph's text may be a stranger's: it calls PyTorch's operators and nothing else."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from bringup.harness.ops.fx_json import FxJsonError, loads, owned

VALUE = {"dtype": "float32", "shape": [4]}
HOSTILE = [
    *("operator.attrgetter", "operator.methodcaller", "operator.itemgetter", "operator.call"),
    *("operator.__builtins__.eval", "operator.__builtins__.__import__", "operator.add.__self__"),
    *("operator.setitem", "operator.iconcat", "operator.pow", "operator.lshift"),
    *("load_library", "load_library.default", "load_library.x.y", "import_module.x.y"),
    *("_C._jit_set_profiling_mode.x", "torch._C.x", "builtins.eval", "builtins.exec.default"),
    *("os.system", "os.system.default", "__class__.__init__.__globals__", "aten.__class__.mro"),
    *("aten.add", "aten.add.Tensor.__call__", "aten.add.__class__", "aten.add.Tensor ", ""),
    *("aten.save.default", "aten.from_file.default", "aten._print.default", "aten.warn.default"),
    *("aten.capitalize.default", "aten.no_such_op.default", "aten.relu.no_such_overload"),
    *("higher_order.print", "higher_order.call_torchbind", "higher_order.aoti_call_delegate"),
    *("higher_order.executorch_call_delegate", "higher_order.__class__", "higher_order."),
    *("quantized.add.default", "profiler._record_function_enter_new.default", "classes.x.y"),
]


def graph(target: object, args: list[Any], value: object = VALUE) -> bytes:
    nodes = [
        {"op": "placeholder", "value": VALUE},
        {"op": "call", "target": target, "args": args, "kwargs": {}, "value": value},
    ]
    return msgspec.json.encode({"nodes": nodes, "outputs": {"tuple": [{"node": 1}]}})


@pytest.mark.parametrize("target", [*HOSTILE, None, 3, ["aten.relu.default"]])
def test_what_is_no_operator_of_pytorch_is_refused(target: object) -> None:
    with pytest.raises(FxJsonError, match=r"no operator|is no text|no legal|not a legal"):
        loads(graph(target, [{"node": 0}]))


def test_an_operator_of_pytorch_is_taken_and_runs() -> None:
    text = graph("aten.add.Tensor", [{"node": 0}, 2])
    (result,) = torch.fx.Interpreter(owned(loads(text), {})).run(torch.ones(4))
    assert result.tolist() == [3.0] * 4


@pytest.mark.parametrize("target", [t for t in HOSTILE if "." in t and not t.startswith("aten.f")])
def test_trust_follows_no_attributes_either(target: str) -> None:
    try:
        found = loads(graph(target, [{"node": 0}]), trust=True)
    except FxJsonError:
        return
    (call,) = [node for node in found.nodes if node.op == "call_function"]
    kinds = torch._ops.OpOverload | torch._ops.HigherOrderOperator
    assert isinstance(call.target, kinds), target


def test_trust_takes_an_operator_that_somebody_registered() -> None:
    library = torch.library.Library("bringup_test", "DEF")
    library.define("twice(Tensor x) -> Tensor")
    library.impl("twice", lambda x: 2 * x, "CompositeExplicitAutograd")
    text = graph("bringup_test.twice.default", [{"node": 0}])
    with pytest.raises(FxJsonError, match="--trust takes any registered operator"):
        loads(text)
    (result,) = torch.fx.Interpreter(owned(loads(text, trust=True), {})).run(torch.ones(4))
    assert result.tolist() == [2.0] * 4


@pytest.mark.parametrize(
    ("args", "value"),
    [
        ([{"dtype": "_C"}], VALUE),
        ([{"dtype": "load"}], VALUE),
        ([{"memory_format": "float32"}], VALUE),
        ([{"__class__": "x"}], VALUE),
        ([{"node": 7}], VALUE),
        ([{"float": "9" * 9}, {"node": -9}], VALUE),
        ([{"node": 0}], {"dtype": "ops", "shape": []}),
        ([{"node": 0}], "__class__"),
        ([{"node": 0}], {"dtype": "float32", "shape": [-1]}),
    ],
)
def test_names_of_torch_are_of_the_kind_that_is_asked_for(args: list[Any], value: object) -> None:
    with pytest.raises(FxJsonError):
        loads(graph("aten.relu.default", args, value))


def test_a_function_of_python_takes_no_lists() -> None:
    with pytest.raises(FxJsonError, match="takes values and numbers only"):
        loads(graph("operator.mul", [["x"], 1 << 40]))


def test_nothing_that_is_refused_is_called(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for target in ("os.system", "operator.call", "aten.from_file.default"):
        with pytest.raises(FxJsonError):
            loads(graph(target, [f"touch {canary}", True, 4]))
    assert list(tmp_path.iterdir()) == []
