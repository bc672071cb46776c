# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StableHLO ops to draw from, each spelled another way every time: names, order, locations."""

import random
from collections.abc import Callable

from torch_mlir import ir

from bringup.harness.mlir import TorchMlir
from tests.unit.drawn_ops import Choice, Domain


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


def wrap(c: Cosmetics, arguments: list[str], body: str, extra: str = "") -> str:
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
    return wrap(c, [t, t], body)


def sliced(s: Choice, c: Cosmetics) -> str:
    size = -(-(s["limit"] - s["start"]) // s["stride"])
    t, u = f"tensor<{s['n']}x{s['dtype']}>", f"tensor<{size}x{s['dtype']}>"
    attributes = c.attributes(
        f"start_indices = array<i64: {s['start']}>",
        f"limit_indices = array<i64: {s['limit']}>",
        f"strides = array<i64: {s['stride']}>",
    )
    a, r = f"%{c.value('a0')}", f"%{c.value('r')}"
    return wrap(c, [t], f'{r} = "stablehlo.slice"({a}) {attributes} : ({t}) -> {u}')


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
    return wrap(c, [t, e], body)


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
    return wrap(c, [t], body)


def scaled(s: Choice, c: Cosmetics) -> str:
    values = [s["first"], *range(2, s["n"] + 1)]
    t = f"tensor<{s['n']}xi32>"
    a, k, r = (f"%{c.value(n)}" for n in ("a0", "k", "r"))
    body = f"""
        {k} = stablehlo.constant dense<{values}> : {t}{c.location()}
        {r} = stablehlo.{s["op"]} {f"{a}, {k}" if s["order"] else f"{k}, {a}"} : {t}"""
    return wrap(c, [t], body)


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
    return wrap(c, [t], body, callee)


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
    return wrap(c, [t], body)


Family = tuple[Callable[[Choice, Cosmetics], str], Domain]

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


def meaning(family: str, choice: Choice) -> Choice:
    """The fields that are part of the op: not `scale` where a reduction does not multiply by it."""
    has_scale = family != "reduce" or choice["second"] == "constant"
    return {name: value for name, value in choice.items() if has_scale or name != "scale"}


def operation_of(mlir: TorchMlir, text: str) -> tuple[ir.Module, ir.Operation]:
    """The op before the return of `main`; the module has to stay alive beside it."""
    module = ir.Module.parse(text, mlir.context)
    main = ir.SymbolTable(module.operation)["main"].operation
    return module, list(main.regions[0].blocks[0].operations)[-2].operation
