# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The sweep's table: enough cases, each named, each another op, each one that torch computes."""

import json
from collections import Counter

import pytest
import torch

from bringup.harness.errors import UsageError
from bringup.harness.sweep.__main__ import listed, main
from bringup.harness.sweep.cases import Case, RefusedError, case_of, cases_of, overload_of
from bringup.harness.sweep.catalog import calls_of, ops, table
from bringup.harness.sweep.operands import made
from bringup.harness.sweep.rows import T, call

OPS = tuple(ops())


def case(op: str, name: str) -> Case:
    (wanted,) = (one for one in table()[op].calls if one.name == name)
    return case_of(op, wanted)


def test_there_are_a_thousand_cases_and_no_two_of_a_name() -> None:
    names = [one.name for one in listed()]
    assert len(names) == len(set(names)) > 1000
    assert len(OPS) > 150


def test_every_op_is_one_of_torch() -> None:
    assert all(str(overload_of(op)).startswith("aten.") for op in OPS)


@pytest.mark.parametrize("part", range(8))
def test_torch_computes_cases_and_each_is_another_op(part: int) -> None:
    for op in OPS[part::8]:
        cases, refused = cases_of(op, table()[op].calls[:4])
        assert not refused
        assert len({one.op.key for one in cases}) == len(cases), op


@pytest.mark.slow
def test_torch_computes_every_case_and_each_is_another_op() -> None:
    for op in OPS:
        cases, refused = cases_of(op, table()[op].calls)
        assert not refused and cases
        twice = [k for k, n in Counter(one.op.key for one in cases).items() if n > 1]
        assert not twice, [one.name for one in cases if one.op.key in twice]


def test_cases_reach_what_models_do_not() -> None:
    names = " ".join(one.name for one in listed())
    for word in ("empty", "scalar", "one", "broadcast", "long", "flip", "transpose", "nan", "inf"):
        assert f"-{word}" in names
    kinds = Counter(one.dtype for one in listed())
    assert all(kinds[d] > 30 for d in ("bfloat16", "float16", "int64", "int32", "bool"))
    assert max(one.rank for one in listed()) >= 6


def test_a_case_is_the_same_every_time() -> None:
    one, other = case("log", "f32-odd"), case("log", "f32-odd")
    assert one.op == other.op
    assert all(map(torch.equal, one.inputs, other.inputs))


def test_special_values_make_another_op_on_record() -> None:
    plain, special = case("add.Tensor", "f32-odd"), case("add.Tensor", "f32-nan")
    assert plain.op.name == special.op.name and plain.op.key != special.op.key
    assert special.op.attributes["values"] == "%0 nan"
    assert torch.isnan(special.golden[0]).any() and not torch.isnan(plain.golden[0]).any()


def test_an_ordinary_case_is_the_op_that_models_have() -> None:
    assert "values" not in case("mm", "f32-odd").op.attributes


@pytest.mark.parametrize("layout", ["flip", "transpose", "step", "expand"])
def test_a_layout_is_an_op_before_in_the_same_program(layout: str) -> None:
    made_of = case("sum.dim_IntList", f"f32-{layout}")
    first, second = made_of.op.name.split("+")
    assert second == "aten.sum.dim_IntList" and first != second
    (result,) = torch.fx.Interpreter(torch.fx.GraphModule({}, made_of.graph)).run(*made_of.inputs)
    assert torch.equal(result, made_of.golden[0])
    assert len([n for n in made_of.lowered().nodes if n.op == "call_function"]) >= 2


@pytest.mark.parametrize(
    ("op", "name"),
    [
        ("remainder.Tensor", "f32-odd"),
        ("cross_entropy_loss", "f32-smoothed"),  # a decomposition of it writes in place
        ("native_layer_norm", "bf16-odd"),
        ("index_put", "f32-mask"),
    ],
)
def test_what_is_lowered_computes_the_same(op: str, name: str) -> None:
    one = case(op, name)
    results = torch.fx.Interpreter(torch.fx.GraphModule({}, one.lowered())).run(*one.inputs)
    for given, golden in zip(results, one.golden, strict=True):
        torch.testing.assert_close(given, golden, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("kind", ["nan", "inf", "edges", "normal"])
def test_values_are_of_the_shape_and_dtype_that_is_asked_for(kind: str) -> None:
    for shape in ((), (0, 3), (1,), (3, 5)):
        value = made(T(shape, "bfloat16", kind), "x")
        assert value.shape == shape and value.dtype is torch.bfloat16


def test_what_torch_refuses_is_no_case_and_what_is_no_call_is_an_error() -> None:
    with pytest.raises(RefusedError, match="relu/f"):
        case_of("relu", call("f", T((3,), "bool")))
    with pytest.raises(UsageError, match=r"no op aten\.relo"):
        case_of("relo", call("f", T()))
    with pytest.raises(UsageError, match="no values 'odd'"):
        case_of("relu", call("f", T(values="odd")))
    with pytest.raises(UsageError, match="no layout 'up'"):
        case_of("relu", call("f", T(layout="up")))


def test_a_limit_takes_the_first_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    assert calls_of("mm") == table()["mm"].calls
    monkeypatch.setenv("BRINGUP_SWEEP_LIMIT", "2")
    assert calls_of("mm") == table()["mm"].calls[:2]
    with pytest.raises(UsageError, match=r"no op 'mmm'.*did you mean"):
        calls_of("mmm")


def test_the_list_names_cases_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convolution"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "convolution/f32-odd" and lines[-1] == f"{len(lines) - 1} cases of 1 ops"
    assert main(["mm", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {"name": "mm/f32-odd", "op": "aten.mm.default", "dtype": "float32", "rank": 2}
    assert main(["nothing-is-called-so"]) == 2
    assert "no op with 'nothing-is-called-so'" in capsys.readouterr().err
