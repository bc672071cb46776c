# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""An op's key: everything that decides what it computes changes it, and nothing else does."""

import os
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch.fx import Graph, Node
from torch_mlir import ir

from harness.frontend.mlir import TorchMlir
from harness.op_by_op.identity import (
    IdentityError,
    fingerprint,
    stablehlo_op,
    torch_op,
    torch_operands,
)
from harness.records.schema import TensorType

MUTATIONS = int(os.environ.get("BRINGUP_KEY_MUTATIONS", "2000"))
"""For each of the two kinds of op; the issue's figure is 10,000."""

Choice = dict[str, Any]


def shuffled(rng: random.Random, items: list[str]) -> list[str]:
    return rng.sample(items, len(items))


class Cosmetics:
    """Everything of a text that must not matter, drawn anew."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, str] = {}

    def value(self, role: str) -> str:
        """An SSA or function name."""
        made = f"n{self.rng.randrange(10**9)}_{len(self.names)}"
        return self.names.setdefault(role, made)

    def attributes(self, *items: str) -> str:
        return "<{" + ", ".join(shuffled(self.rng, list(items))) + "}>"

    def location(self) -> str:
        line = self.rng.randrange(1000)
        return self.rng.choice(["", f' loc("layer.{line}")', f' loc("net.py":{line}:1)'])


def wrap(c: Cosmetics, arguments: list[str], results: str, body: str, extra: str = "") -> str:
    """A module around `body`, whose last value is `%r` (or `%r:2`)."""
    names = [f"%{c.value(f'a{i}')}: {t}" for i, t in enumerate(arguments)]
    return f"""module {{
      {extra}
      func.func @main({", ".join(names)}) {{
        {body}
        return
      }}
    }}"""


def binary(s: Choice, c: Cosmetics) -> str:
    t = f"tensor<{s['shape']}x{s['dtype']}>"
    a, b, r = (f"%{c.value(n)}" for n in ("a0", "a1", "r"))
    body = f'{r} = "stablehlo.{s["op"]}"({a}, {b}) : ({t}, {t}) -> {t}{c.location()}'
    return wrap(c, [t, t], t, body)


def sliced(s: Choice, c: Cosmetics) -> str:
    size = -(-(s["limit"] - s["start"]) // s["stride"])
    t, u = f"tensor<{s['n']}x{s['dtype']}>", f"tensor<{size}x{s['dtype']}>"
    attributes = c.attributes(
        f"start_indices = array<i64: {s['start']}>",
        f"limit_indices = array<i64: {s['limit']}>",
        f"strides = array<i64: {s['stride']}>",
    )
    a, r = f"%{c.value('a0')}", f"%{c.value('r')}"
    return wrap(c, [t], u, f'{r} = "stablehlo.slice"({a}) {attributes} : ({t}) -> {u}')


def reduced(s: Choice, c: Cosmetics) -> str:
    e = f"tensor<{s['dtype']}>"
    t = f"tensor<{s['n']}x{s['m']}x{s['dtype']}>"
    u = f"tensor<{s['m'] if s['dim'] == 0 else s['n']}x{s['dtype']}>"
    a, k, i, j, x, y, z, w, r = (
        f"%{c.value(n)}" for n in ("a0", "a1", "i", "j", "x", "y", "z", "w", "r")
    )
    second = {"constant": j, "captured": k, "argument": y}[s["second"]]
    body = f"""
        {i} = stablehlo.constant dense<{s["init"]}> : {e}{c.location()}
        {j} = stablehlo.constant dense<{s["scale"]}> : {e}
        {r} = "stablehlo.reduce"({a}, {i}) <{{dimensions = array<i64: {s["dim"]}>}}> ({{
          ^bb0({x}: {e}, {y}: {e}{c.location()}):
            {z} = stablehlo.{s["op"]} {x}, {y} : {e}{c.location()}
            {w} = stablehlo.multiply {z}, {second} : {e}
            stablehlo.return {w} : {e}
        }}) : ({t}, {e}) -> {u}{c.location()}"""
    return wrap(c, [t, e], u, body)


def sorted_(s: Choice, c: Cosmetics) -> str:
    e, t = f"tensor<{s['dtype']}>", f"tensor<{s['n']}x{s['m']}x{s['dtype']}>"
    kind = "FLOAT" if s["dtype"].startswith("f") else "SIGNED"
    attributes = c.attributes(f"dimension = {s['dim']} : i64", f"is_stable = {s['stable']}")
    compare = c.attributes(
        f"comparison_direction = #stablehlo<comparison_direction {s['direction']}>",
        f"compare_type = #stablehlo<comparison_type {kind}>",
    )
    a, x, y, z, r = (f"%{c.value(n)}" for n in ("a0", "x", "y", "z", "r"))
    body = f"""{r} = "stablehlo.sort"({a}) {attributes} ({{
        ^bb0({x}: {e}, {y}: {e}):
          {z} = "stablehlo.compare"({x}, {y}) {compare} : ({e}, {e}) -> tensor<i1>
          stablehlo.return {z} : tensor<i1>
        }}) : ({t}) -> {t}{c.location()}"""
    return wrap(c, [t], t, body)


def scaled(s: Choice, c: Cosmetics) -> str:
    values = [s["first"], *range(2, s["n"] + 1)]
    t = f"tensor<{s['n']}xi32>"
    a, k, r = (f"%{c.value(n)}" for n in ("a0", "k", "r"))
    body = f"""
        {k} = stablehlo.constant dense<{values}> : {t}{c.location()}
        {r} = stablehlo.{s["op"]} {f"{a}, {k}" if s["order"] else f"{k}, {a}"} : {t}"""
    return wrap(c, [t], t, body)


def composite(s: Choice, c: Cosmetics) -> str:
    t = f"tensor<{s['n']}xf32>"
    a, x, y, f, r = (c.value(n) for n in ("a0", "x", "y", "f", "r"))
    callee = f"""func.func private @{f}(%{x}: {t}) -> {t} {{
        %{y} = stablehlo.{s["op"]} %{x}, %{x} : {t}{c.location()}
        return %{y} : {t}
      }}"""
    attributes = c.attributes(
        f'name = "{s["name"]}"',
        f"decomposition = @{f}",
        f"composite_attributes = {{alpha = {s['alpha']} : i64}}",
        f"version = {s['version']} : i32",
    )
    body = f'%{r} = "stablehlo.composite"(%{a}) {attributes} : ({t}) -> {t}'
    return wrap(c, [t], t, body, callee)


def loop(s: Choice, c: Cosmetics) -> str:
    e, t = "tensor<i64>", f"tensor<{s['n']}xf32>"
    z, n, o, a, i, v, j, w, p, q, b, r = (
        f"%{c.value(x)}" for x in ("z", "n", "o", "a0", "i", "v", "j", "w", "p", "q", "b", "r")
    )
    body = f"""
        {z} = stablehlo.constant dense<{s["start"]}> : {e}
        {n} = stablehlo.constant dense<{s["limit"]}> : {e}
        {o} = stablehlo.constant dense<{s["step"]}> : {e}
        {r}:2 = "stablehlo.while"({z}, {a}) ({{
          ^bb0({i}: {e}, {v}: {t}):
            {b} = stablehlo.compare LT, {i}, {n} : ({e}, {e}) -> tensor<i1>
            stablehlo.return {b} : tensor<i1>
          }}, {{
          ^bb0({j}: {e}, {w}: {t}):
            {p} = stablehlo.add {j}, {o} : {e}
            {q} = stablehlo.{s["op"]} {w}, {w} : {t}{c.location()}
            stablehlo.return {p}, {q} : {e}, {t}
        }}) : ({e}, {t}) -> ({e}, {t})"""
    return wrap(c, [t], t, body)


Family = tuple[Callable[[Choice, Cosmetics], str], Mapping[str, list[Any]]]

OPS = ["add", "multiply", "subtract", "maximum"]
STABLEHLO: dict[str, Family] = {
    "binary": (
        binary,
        {
            "op": OPS,
            "shape": ["2x3", "3x2", "6", "1x6", "2x3x1"],
            "dtype": ["f32", "f64", "f16", "bf16", "i32", "i64", "ui8"],
        },
    ),
    "slice": (
        sliced,
        {
            "n": [8, 9, 10],
            "start": [0, 1, 2],
            "limit": [5, 6, 7],
            "stride": [1, 2, 3],
            "dtype": ["f32", "i8"],
        },
    ),
    "reduce": (
        reduced,
        {
            "n": [2, 3],
            "m": [4, 5],
            "dim": [0, 1],
            "init": [0, 1, 2],
            "scale": [3, 4],
            "op": OPS,
            "second": ["constant", "captured", "argument"],
            "dtype": ["i32", "i64"],
        },
    ),
    "sort": (
        sorted_,
        {
            "n": [2, 3],
            "m": [4, 5],
            "dim": [0, 1],
            "stable": ["true", "false"],
            "direction": ["LT", "GT", "LE"],
            "dtype": ["f32", "i32"],
        },
    ),
    "scaled": (
        scaled,
        {"n": [3, 4], "first": [0, 1, 7, -1], "op": OPS, "order": [True, False]},
    ),
    "composite": (
        composite,
        {
            "n": [2, 3],
            "op": OPS,
            "name": ["x.gelu", "x.silu"],
            "alpha": [1, 2],
            "version": [1, 2],
        },
    ),
    "while": (
        loop,
        {"n": [2, 3], "start": [0, 1], "limit": [5, 6], "step": [1, 2], "op": OPS},
    ),
}
NEUTRAL = {("reduce", "scale"): lambda s: s["second"] != "constant"}
"""Fields that are not part of the op for some choices of the others."""


@pytest.fixture(scope="module")
def mlir() -> TorchMlir:
    return TorchMlir()


def operation_of(mlir: TorchMlir, text: str) -> tuple[ir.Module, ir.Operation]:
    """The op before the return of `main`; the module has to stay alive beside it."""
    module = ir.Module.parse(text, mlir.context)
    main = ir.SymbolTable(module.operation)["main"].operation
    return module, list(main.regions[0].blocks[0].operations)[-2].operation


def stablehlo_key(mlir: TorchMlir, family: str, choice: Choice, rng: random.Random) -> str:
    _module, operation = operation_of(mlir, STABLEHLO[family][0](choice, Cosmetics(rng)))
    return stablehlo_op(operation).key


def drawn(rng: random.Random, domain: Mapping[str, list[Any]]) -> Choice:
    return {name: rng.choice(values) for name, values in domain.items()}


def mutated(rng: random.Random, choice: Choice, domain: Mapping[str, list[Any]]) -> Choice:
    """The same with one field changed."""
    name = rng.choice(sorted(domain))
    other = [v for v in domain[name] if repr(v) != repr(choice[name])]
    return choice | {name: rng.choice(other)}


def test_every_change_to_a_stablehlo_op_changes_its_key_and_nothing_else_does(
    mlir: TorchMlir,
) -> None:
    rng = random.Random(11)
    seen: dict[str, str] = {}
    wrong = []
    for _ in range(MUTATIONS):
        family = rng.choice(sorted(STABLEHLO))
        domain = STABLEHLO[family][1]
        choice = drawn(rng, domain)
        for each in (choice, mutated(rng, choice, domain)):
            meaning = {
                k: v for k, v in each.items() if not NEUTRAL.get((family, k), lambda _: False)(each)
            }
            spelled = f"{family} {meaning}"
            key = stablehlo_key(mlir, family, each, rng)
            if seen.setdefault(spelled, key) != key:
                wrong.append(f"{spelled}: another key for other names")
    assert not wrong
    assert len(set(seen.values())) == len(seen), "two different ops have one key"


# --- torch ----------------------------------------------------------------------------------

aten = torch.ops.aten


def fake(shape: list[int], dtype: torch.dtype, permuted: bool = False) -> torch.Tensor:
    if permuted:
        return torch.empty(shape[::-1], dtype=dtype, device="meta").permute(1, 0)
    return torch.empty(shape, dtype=dtype, device="meta")


def node_of(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], rng: random.Random) -> Node:
    """A node on placeholders, which stand in `args` and `kwargs` as the tensors they have."""
    graph = Graph()

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return [placed(v) for v in value]
        if not isinstance(value, torch.Tensor):
            return value
        node = graph.placeholder(f"p{rng.randrange(10**9)}")
        node.meta["val"] = value
        return node

    placed_args = tuple(placed(a) for a in args)
    placed_kwargs = {k: placed(kwargs[k]) for k in rng.sample(sorted(kwargs), len(kwargs))}
    node = graph.create_node(
        "call_function", target, placed_args, placed_kwargs, name=f"n{rng.randrange(10**9)}"
    )
    node.meta["val"] = torch.empty([2], device="meta")
    return node


def spelled_either_way(
    rng: random.Random, names: list[str], values: list[Any], defaults: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional up to somewhere, by name after; defaults left out by a coin's toss."""
    cut = rng.randint(1, len(names))
    args = tuple(values[:cut])
    rest = dict(zip(names[cut:], values[cut:], strict=True))
    kept = {
        k: v
        for k, v in rest.items()
        if not (k in defaults and repr(defaults[k]) == repr(v) and rng.random() < 0.5)
    }
    return args, kept


def add(s: Choice, rng: random.Random) -> Node:
    tensors = [fake(s["shape"], s["dtype"]), fake(s["other"], s["dtype"])]
    kwargs = {} if s["alpha"] == 1 and rng.random() < 0.5 else {"alpha": s["alpha"]}
    return node_of(s["target"], tuple(tensors), kwargs, rng)


def convolution(s: Choice, rng: random.Random) -> Node:
    names = ["input", "weight", "bias", "stride", "padding", "dilation", "transposed"]
    names += ["output_padding", "groups"]
    bias = fake([4], torch.float32) if s["bias"] else None
    values = [fake([1, 4, 8, 8], torch.float32), fake([4, 4, 3, 3], torch.float32), bias]
    values += [s["stride"], s["padding"], s["dilation"], s["transposed"], [0, 0], s["groups"]]
    args, kwargs = spelled_either_way(rng, names, values, {})
    return node_of(aten.convolution.default, args, kwargs, rng)


def cat(s: Choice, rng: random.Random) -> Node:
    tensors = [fake([2, n], torch.float32) for n in s["widths"]]
    args, kwargs = spelled_either_way(rng, ["tensors", "dim"], [tensors, s["dim"]], {"dim": 0})
    return node_of(aten.cat.default, args, kwargs, rng)


def index(s: Choice, rng: random.Random) -> Node:
    where = [fake([3], torch.int64) if flag else None for flag in s["where"]]
    return node_of(aten.index.Tensor, (fake(s["shape"], torch.float32), where), {}, rng)


def full(s: Choice, rng: random.Random) -> Node:
    return node_of(aten.full.default, (s["size"], s["value"]), {"dtype": s["dtype"]}, rng)


def view(s: Choice, rng: random.Random) -> Node:
    operand = fake([4, 6], s["dtype"], s["permuted"])
    return node_of(aten.view.default, (operand, s["size"]), {}, rng)


def mean(s: Choice, rng: random.Random) -> Node:
    names, values = ["self", "dim", "keepdim"], [fake([4, 6], s["dtype"]), s["dim"], s["keepdim"]]
    args, kwargs = spelled_either_way(rng, names, values, {"keepdim": False})
    return node_of(aten.mean.dim, args, kwargs, rng)


TORCH: dict[str, tuple[Callable[[Choice, random.Random], Node], Mapping[str, list[Any]]]] = {
    "add": (
        add,
        {
            "target": [aten.add.Tensor, aten.sub.Tensor],
            "shape": [[2, 3], [3, 2], [6]],
            "other": [[1], [], [1, 1]],
            "dtype": [torch.float32, torch.bfloat16, torch.float16, torch.int64],
            "alpha": [1, 2, 1.5, -1],
        },
    ),
    "convolution": (
        convolution,
        {
            "bias": [True, False],
            "stride": [[1, 1], [2, 2], [1, 2]],
            "padding": [[0, 0], [1, 1]],
            "dilation": [[1, 1], [2, 1]],
            "transposed": [True, False],
            "groups": [1, 2],
        },
    ),
    "cat": (cat, {"widths": [[1, 2], [2, 1], [1, 2, 1], [3]], "dim": [0, 1, -1]}),
    "index": (
        index,
        {
            "shape": [[4, 5, 6], [6, 5, 4]],
            "where": [[1], [0, 1], [1, 1], [0, 0, 1], [1, 0, 1], [1, 1, 1]],
        },
    ),
    "full": (
        full,
        {
            "size": [[2], [3], [2, 3], []],
            "value": [0, 1, 1.0, True, float("inf"), float("-inf"), float("nan"), -0.0, 0.0],
            "dtype": [torch.float32, torch.int32, None],
        },
    ),
    "view": (
        view,
        {
            "dtype": [torch.float32, torch.int8],
            "permuted": [True, False],
            "size": [[4, 6], [24], [-1], [2, 12]],
        },
    ),
    "mean": (
        mean,
        {
            "dtype": [torch.float32, torch.float64],
            "dim": [[0], [1], [0, 1], [-1], None],
            "keepdim": [True, False],
        },
    ),
}


def test_every_change_to_a_torch_op_changes_its_key_and_nothing_else_does() -> None:
    rng = random.Random(12)
    seen: dict[str, str] = {}
    wrong = []
    for _ in range(MUTATIONS):
        family = rng.choice(sorted(TORCH))
        build, domain = TORCH[family]
        choice = drawn(rng, domain)
        for each in (choice, mutated(rng, choice, domain)):
            key = torch_op(build(each, rng)).key
            if seen.setdefault(f"{family} {each}", key) != key:
                wrong.append(f"{family} {each}: another key for other names")
    assert not wrong
    assert len(set(seen.values())) == len(seen), "two different ops have one key"


def test_strides_count_only_where_an_op_reads_them() -> None:
    rng = random.Random(0)
    straight, turned = fake([4, 6], torch.float32), fake([4, 6], torch.float32, permuted=True)
    relu = [torch_op(node_of(aten.relu.default, (t,), {}, rng)) for t in (straight, turned)]
    assert relu[0].key == relu[1].key
    viewed = torch_op(node_of(aten.view.default, (turned, [4, 6]), {}, rng))
    assert viewed.inputs == (TensorType((4, 6), "float32", (1, 4)),)


def test_an_operand_taken_twice_is_two_inputs() -> None:
    graph = Graph()
    x = graph.placeholder("x")
    x.meta["val"] = fake([2], torch.float32)
    node = graph.call_function(aten.cat.default, ([x, x],))
    node.meta["val"] = fake([4], torch.float32)
    op = torch_op(node)
    assert torch_operands(node) == [x, x]
    assert op.attributes["tensors"] == "[%0, %1]" and len(op.inputs) == 2


def test_what_has_no_canonical_text_is_refused() -> None:
    node = node_of(aten.relu.default, (object(),), {}, random.Random(0))
    with pytest.raises(IdentityError, match="type object has no canonical text"):
        torch_op(node)


def test_a_large_constant_operand_is_an_input_and_a_long_attribute_a_digest(
    mlir: TorchMlir,
) -> None:
    def op_of(values: list[int]) -> Any:
        t = f"tensor<{len(values)}xi32>"
        text = f"""func.func @main(%a: {t}) {{
            %k = stablehlo.constant dense<{values}> : {t}
            %r = stablehlo.add %a, %k {{note = dense<{values}> : {t}}} : {t}
            return
        }}"""
        _module, operation = operation_of(mlir, text)
        return stablehlo_op(operation)

    first, second = op_of(list(range(400))), op_of([*range(399), 7])
    assert len(first.inputs) == 2 and "sha256:" in first.attributes["note"]
    assert first.key != second.key


# --- fingerprints ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "failed to legalize operation 'torch.aten.foo' that was marked illegal "
            'at loc("net.py":12:3)',
            "failed to legalize operation 'torch.aten.foo' that was marked illegal "
            'at loc(fused["a/b.py":1:2, callsite("x" at "y")])',
        ),
        (
            "'stablehlo.add' op got tensor<2x3xf32> for %12, expected [2, 4]",
            "'stablehlo.add' op got tensor<?x7x1xbf16> for %arg0, expected [2, 4, 5]",
        ),
        (
            "SIGSEGV at 0x7f00deadbeef in /usr/lib/libfoo.so:12 after 3.5e-1 s",
            "SIGSEGV at 0x1 in /home/a/lib/libbar.so after 17 s",
        ),
        (
            "a constant {value = dense_resource<torch_tensor_8_torch.bfloat16> : tensor<8xbf16>}",
            "a constant {value = dense_resource<torch_tensor_8_torch.bfloat16_2> : tensor<4xbf16>}",
        ),
        (
            "\n  the shape (2, 3) and %0#1 of !torch.vtensor<[2,3],f32>\nnote: see 7",
            "the shape (4,) and %x of !torch.vtensor<[],f32>\nnote: see 8",
        ),
        (
            "node add_12 has 2x3xf32 and [], not 4xf32",
            "node add has 7xf32 and [3, 4], not 1x2x3xf32",
        ),
    ],
)
def test_a_failure_of_the_same_cause_has_the_same_fingerprint(one: str, other: str) -> None:
    assert fingerprint("compile", "aten.x", one) == fingerprint("compile", "aten.x", other)


def test_failures_of_different_causes_stages_and_ops_differ() -> None:
    prints = {
        fingerprint(stage, op, text)
        for stage in ("compile", "execute")
        for op in ("aten.a", "aten.b")
        for text in ("unsupported f16", "unsupported f32", "no kernel for conv2d", "")
    }
    assert len(prints) == 16
    assert fingerprint("compile", "aten.a", "no kernel\nmore") == "compile:aten.a:no kernel"
