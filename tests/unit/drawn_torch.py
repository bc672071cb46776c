# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PyTorch ops to draw from, arguments given by place or by name and defaults left out or not."""

import random
from collections.abc import Callable
from typing import Any

import torch
from torch.fx import Graph, Node

from tests.unit.drawn_ops import Choice, Domain

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


TORCH: dict[str, tuple[Callable[[Choice, random.Random], Node], Domain]] = {
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
