# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Programs that one of XLA's passes makes wrong, and which: seeded, judged by PyTorch step by step.

Each is a few ops that a pass rewrites as no eager computation does: an algebra that does not hold
for large numbers, a sum in another order, a product that is contracted with the sum after it. Some
are wrong in whatever way they are compiled (values below the least normal number count as 0), and
no pass is to blame for them.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from bringup.harness.device_host.client import Device
from bringup.harness.device_host.op_run import OpJob, OpRun
from bringup.harness.reduce.pass_blame import blame
from tests.benchmarks.figures import Figure

_SEED = 16
_DEADLINE_S, _SEARCH_S = 60.0, 60.0
_SIMPLIFIER, _PRODUCTS, _FUSION = "algsimp", "dot-library-rewriter", "fusion"
Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Case:
    """One program that comes out wrong."""

    name: str
    text: str
    inputs: Tensors
    golden: torch.Tensor
    blame: str
    """The pass; empty where none is to blame."""


@dataclass(frozen=True)
class _Rewritten:
    """Ops of one or more operands of the same shape, with constants `%c` and `%d`."""

    name: str
    body: str
    golden: Callable[..., torch.Tensor]
    worst: tuple[float, ...]
    """Of each operand the value for which it comes out wrong."""
    blame: str = _SIMPLIFIER
    constants: tuple[float, float] = (1.0, 1.0)


_ELEMENTWISE = (
    _Rewritten("log of exp", "exponential %x;log %0", lambda x: torch.log(torch.exp(x)), (1000.0,)),
    _Rewritten(
        "two factors",
        "multiply %x, %c;multiply %0, %d",
        lambda x: x * 1e-30 * 1e-30,
        (1e35,),
        constants=(1e-30, 1e-30),
    ),
    _Rewritten(
        "two addends",
        "add %x, %c;add %0, %d",
        lambda x: x + 1e10 + -1e10,
        (3.0,),
        constants=(1e10, -1e10),
    ),
    _Rewritten(
        "divided twice", "divide %x, %y;divide %0, %y", lambda x, y: x / y / y, (1e30, 1e25)
    ),
    _Rewritten(
        "power of power",
        "power %x, %c;power %0, %d",
        lambda x: torch.pow(torch.pow(x, 2.0), 0.5),
        (1e30,),
        constants=(2.0, 0.5),
    ),
    _Rewritten(
        "product of exp",
        "exponential %x;exponential %y;multiply %0, %1",
        lambda x, y: torch.exp(x) * torch.exp(y),
        (100.0, -120.0),
    ),
    _Rewritten(
        "log of power", "power %x, %y;log %0", lambda x, y: torch.log(torch.pow(x, y)), (1e20, 10.0)
    ),
    _Rewritten(
        "by a quotient",
        "divide %y, %z;divide %x, %0",
        lambda x, y, z: x / (y / z),
        (1e30, 1e20, 1e10),
    ),
    _Rewritten(
        "sum of products",
        "multiply %x, %z;multiply %y, %z;add %0, %1",
        lambda x, y, z: x * z + y * z,
        (1e30, -1e30, 1e10),
        _FUSION,
    ),
)
_NOT_TO_BLAME = _Rewritten(
    "log below the least normal", "log %x", lambda x: torch.log(x), (1e-40,), ""
)
_SHAPES = ((4,), (64,), (3, 5), (2, 3, 8))
_PRODUCT_SHAPES = ((8, 512, 4), (16, 1024, 8), (4, 2048, 16), (8, 768, 8))


def cases(seed: int = _SEED) -> list[Case]:
    """Forty of them, the same for a seed."""
    drawn = random.Random(seed)
    torch.manual_seed(seed)
    found = [_elementwise(one, shape) for one in _ELEMENTWISE[:8] for shape in _SHAPES]
    found += [_elementwise(_ELEMENTWISE[8], shape) for shape in _SHAPES[:2]]
    found += [_elementwise(_NOT_TO_BLAME, shape) for shape in _SHAPES[:2]]
    found += [_product(*shape) for shape in _PRODUCT_SHAPES]
    drawn.shuffle(found)
    return found


def _elementwise(one: _Rewritten, shape: tuple[int, ...]) -> Case:
    kind = f"tensor<{'x'.join(map(str, shape))}xf32>"
    names = "xyz"[: len(one.worst)]
    inputs = []
    for worst in one.worst:
        value = 1 + torch.rand(shape)
        value.view(-1)[0] = worst
        inputs.append(value)
    lines = [
        f"%{name} = stablehlo.constant dense<{value:e}> : {kind}"
        for name, value in zip("cd", one.constants, strict=True)
    ]
    steps = one.body.split(";")
    lines += [f"%{i} = stablehlo.{step} : {kind}" for i, step in enumerate(steps)]
    arguments = ", ".join(f"%{name}: {kind}" for name in names)
    text = _main(arguments, kind, lines, f"%{len(steps) - 1}")
    return Case(f"{one.name} {kind}", text, tuple(inputs), one.golden(*inputs), one.blame)


def _product(rows: int, inner: int, columns: int) -> Case:
    """Rows that begin with two large numbers which cancel: a sum in order is exact."""
    left, right = torch.ones(rows, inner), torch.ones(inner, columns)
    left[:, 0], left[:, 1] = 1e8, -1e8
    types = [f"tensor<{a}x{b}xf32>" for a, b in ((rows, inner), (inner, columns), (rows, columns))]
    line = (
        f"%0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0]"
        f" : ({types[0]}, {types[1]}) -> {types[2]}"
    )
    text = _main(f"%x: {types[0]}, %y: {types[1]}", types[2], [line], "%0")
    golden = torch.full((rows, columns), inner - 2.0)
    return Case(f"product {rows}x{inner}x{columns}", text, (left, right), golden, _PRODUCTS)


def _main(arguments: str, result: str, lines: list[str], value: str) -> str:
    body = "\n".join(lines)
    return f"func.func @main({arguments}) -> {result} {{\n{body}\nreturn {value} : {result}\n}}"


def measure() -> list[Figure]:
    """`pass_blame_share` and `pass_blame_seconds` over the cases, on the CPU."""
    device = Device("cpu")
    device.open()
    try:
        found = list(_searched(device))
    finally:
        device.close()
    right = [named == case.blame for case, named, _ in found]
    seconds = [took for _, _, took in found]
    for case, named, took in found:
        if named != case.blame:
            print(f"{case.name}: {named or 'none'} for {case.blame or 'none'}, {took:.1f} s")
    text = f"{len(found)} seeded cases of {len({case.blame for case, _, _ in found})} causes"
    slowest = f"{text}; the slowest, median {statistics.median(seconds):.2f} s"
    return [
        Figure("pass_blame_share", sum(right) / len(found), "", ">= 0.95", text),
        Figure("pass_blame_seconds", max(seconds), "s", "<= 5", slowest),
    ]


def _searched(device: Device) -> Iterator[tuple[Case, str, float]]:
    """Each case with the passes that were named, and the seconds that took."""
    for case in cases():
        job = OpJob(stablehlo=case.text.encode(), inputs=case.inputs, execute=True)

        def is_wrong(run: OpRun, golden: torch.Tensor = case.golden) -> bool:
            assert run.outputs is not None
            return not torch.allclose(run.outputs[0], golden, rtol=1e-4, atol=0.0, equal_nan=True)

        run = device.run_op(job, _DEADLINE_S)
        if run.outputs is None or not is_wrong(run):
            print(f"{case.name}: it is not wrong here, so it is none of the cases")
            continue
        began = time.perf_counter()
        blamed = blame(device, job, is_wrong, _DEADLINE_S, _SEARCH_S)
        yield case, ", ".join(blamed.passes), time.perf_counter() - began
