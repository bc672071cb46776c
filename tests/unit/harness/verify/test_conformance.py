# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The conformance suite: adversarial outputs, each with the verdict it must get."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from transformers import DynamicCache, EncoderDecoderCache, GPT2Config, StaticCache
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutputWithPast

from bringup.harness.verify import compare, mismatches, nothing_finite, verdict
from tests.unit.made_outputs import INF, NAN, X, changed, randn

RIGHT, WRONG = True, False
NEITHER = None
"""Nothing is wrong, and nothing could be verified."""


class Case(NamedTuple):
    name: str
    golden: object
    actual: object
    passes: bool | None


class Pair(NamedTuple):
    first: object
    second: object


@dataclasses.dataclass
class Boxes:
    boxes: torch.Tensor
    label: str = "cat"


def t(*values: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


def cache(kind: type = DynamicCache, swap: bool = False, layers: int = 2) -> Any:
    built = kind() if kind is DynamicCache else kind(config=_CONFIG, max_cache_len=6)
    for layer in range(layers):
        seeds = (2 * layer, 2 * layer + 1)
        keys, values = (randn(1, 2, 3, 4, seed=s) for s in (seeds[::-1] if swap else seeds))
        built.update(keys, values, layer)
    return built


_CONFIG = GPT2Config(n_layer=2, n_head=2, n_embd=8)
BIG = randn(1_000_000, seed=1)
MEAN = 1e8 + randn(4096, seed=2, dtype=torch.float64)
CAUSAL = torch.full((8, 8), -INF).triu(1)
FILLED = X.masked_fill(X > 1, torch.finfo(torch.float32).min)
NAN90 = X.masked_fill(torch.rand(X.shape, generator=torch.Generator().manual_seed(3)) < 0.9, NAN)
# A hidden state as language models make them: one channel far above all others.
OUTLIER = changed(randn(256, 1024, seed=4), (0, 0), 400.0).bfloat16()
NARROW = (1 + 0.012 * randn(64, 32, seed=8)).bfloat16()
ROWS_SUM_TO_ONE = torch.rand(512, 2048, generator=torch.Generator().manual_seed(5)).softmax(-1)


CASES = [
    # --- right whatever the container or layout
    Case("identical", X, X.clone(), RIGHT),
    Case("float noise", X, X + 1e-6 * randn(64, 32, seed=6), RIGHT),
    Case("non-contiguous golden", X.t().contiguous().t(), X, RIGHT),
    Case("non-contiguous actual, wrong", X[:, :32], X.flip(1)[:, :32], WRONG),
    Case("expanded view", torch.ones(1, 4).expand(3, 4), torch.ones(3, 4), RIGHT),
    Case("requires grad", X.clone().requires_grad_(), X.clone().requires_grad_() * 1, RIGHT),
    Case("requires grad, wrong", X.clone().requires_grad_(), -X.clone().requires_grad_(), WRONG),
    Case("parameter and tensor", torch.nn.Parameter(X), X, RIGHT),
    Case("numpy and torch", X.numpy(), X, RIGHT),
    Case("numpy, wrong", X.numpy(), -X.numpy(), WRONG),
    Case("list and tuple", [X, X + 1], (X, X + 1), RIGHT),
    Case("number and 0-d tensor", 2.5, torch.tensor(2.5), RIGHT),
    Case("dict in another order", {"a": X, "b": -X}, {"b": -X, "a": X}, RIGHT),
    Case("dict with swapped values", {"a": X, "b": -X}, {"a": -X, "b": X}, WRONG),
    Case("sparse and dense", X.relu().to_sparse(), X.relu(), RIGHT),
    Case("sparse, wrong", X.relu().to_sparse(), (X.relu() * 2).to_sparse(), WRONG),
    # --- what correlation cannot see
    Case("doubled", X, 2 * X, WRONG),
    Case("halved", X, X / 2, WRONG),
    Case("offset", X, X + 1, WRONG),
    Case("scaled and offset, positive data", X.abs(), 3 * X.abs() + 2, WRONG),
    Case("negated", X, -X, WRONG),
    Case("zeros", X, torch.zeros_like(X), WRONG),
    Case("constant", X, torch.full_like(X, float(X.mean())), WRONG),
    Case("shuffled", X, X.flatten()[torch.randperm(X.numel())].view(X.shape), WRONG),
    Case("transposed", X[:32], X[:32].t(), WRONG),
    Case("rolled by one", X, X.roll(1, 0), WRONG),
    Case("two rows swapped", X, X[[1, 0, *range(2, 64)]], WRONG),
    Case("one in a million", BIG, changed(BIG, 777_777, 9.0), WRONG),
    Case("one in a million is NaN", BIG, changed(BIG, 777_777, NAN), WRONG),
    Case("one row of many zeroed", X, changed(X, 5, 0.0), WRONG),
    # --- NaN and infinities
    Case("90 % NaN in actual", X, NAN90, WRONG),
    Case("all NaN in actual", X, torch.full_like(X, NAN), WRONG),
    Case("one NaN in actual", X, changed(X, (0, 0), NAN), WRONG),
    Case("one Inf in actual", X, changed(X, (0, 0), INF), WRONG),
    Case("NaN only in the second output", (X, X), (X, torch.full_like(X, NAN)), WRONG),
    Case("NaN only in the first output", (X, X), (torch.full_like(X, NAN), X), WRONG),
    Case("same NaN positions", NAN90, NAN90.clone(), RIGHT),
    Case("same NaN positions, rest wrong", NAN90, -NAN90, WRONG),
    Case("NaN elsewhere", changed(X, 0, NAN), changed(X, 1, NAN), WRONG),
    Case("NaN in golden only", changed(X, 0, NAN), X, WRONG),
    Case("NaN for Inf", changed(X, 0, INF), changed(X, 0, NAN), WRONG),
    Case("Inf for NaN", changed(X, 0, NAN), changed(X, 0, INF), WRONG),
    Case("same Inf", changed(X, 0, INF), changed(X, 0, INF), RIGHT),
    Case("Inf of the other sign", changed(X, 0, INF), changed(X, 0, -INF), WRONG),
    Case("Inf in golden, finite in actual", changed(X, 0, INF), changed(X, 0, 1e38), WRONG),
    Case("causal mask", CAUSAL, CAUSAL.clone(), RIGHT),
    Case("causal mask, one more", CAUSAL, changed(CAUSAL, (1, 0), -INF), WRONG),
    Case("causal mask transposed", CAUSAL, CAUSAL.t(), WRONG),
    Case("all -Inf", t(-INF, -INF), t(-INF, -INF), NEITHER),
    Case("all -Inf, one +Inf", t(-INF, -INF), t(-INF, INF), WRONG),
    Case("all NaN on both sides", t(NAN, NAN), t(NAN, NAN), NEITHER),
    Case("NaN and Inf, nothing finite", t(NAN, INF), t(NAN, INF), NEITHER),
    Case("scalar NaN on both sides", NAN, NAN, NEITHER),
    Case("scalar Inf on both sides", INF, INF, NEITHER),
    Case("scalar NaN", 1.0, NAN, WRONG),
    Case("scalar number for NaN", NAN, 1.0, WRONG),
    Case("all NaN, and a number in actual", t(NAN, NAN), t(NAN, 1.0), WRONG),
    Case("all NaN beside what is right", (X, t(NAN)), (X, t(NAN)), NEITHER),
    Case("all NaN beside what is wrong", (X, t(NAN)), (-X, t(NAN)), WRONG),
    Case("all -Inf beside what is right", (X, t(-INF)), (X, t(-INF)), RIGHT),
    Case(
        "complex NaN part",
        t(1 + 1j, dtype=torch.complex64),
        t(complex(1, NAN), dtype=torch.complex64),
        WRONG,
    ),
    Case("NaN in bfloat16", X.bfloat16(), changed(X.bfloat16(), 0, NAN), WRONG),
    Case("mask fill", FILLED, FILLED.clone(), RIGHT),
    Case("mask fill, rest wrong", FILLED, torch.where(X > 1, FILLED, -X), WRONG),
    Case(
        "mask fill by bfloat16",
        FILLED,
        changed(FILLED, X > 1, torch.finfo(torch.bfloat16).min).bfloat16(),
        RIGHT,
    ),
    Case("mask fill lost", FILLED, X, WRONG),
    # --- zeros, denormals, constants, scalars, single elements, empties
    Case("minus zero", t(0.0, 1.0), t(-0.0, 1.0), RIGHT),
    Case("all minus zero", torch.zeros(4), -torch.zeros(4), RIGHT),
    Case("zero golden, rounding noise", torch.zeros(8), torch.full((8,), 1e-9), RIGHT),
    Case("zero golden, real values", torch.zeros(8), torch.full((8,), 1e-3), WRONG),
    Case(
        "zero golden, one real value",
        torch.zeros(10**6),
        changed(torch.zeros(10**6), 5, 1e-3),
        WRONG,
    ),
    Case("zero golden, half noise", torch.zeros(8).half(), torch.full((8,), 5e-6).half(), RIGHT),
    Case(
        "zero golden, bfloat16 values",
        torch.zeros(8).bfloat16(),
        torch.full((8,), 1e-3).bfloat16(),
        WRONG,
    ),
    Case("denormals", t(1e-40, 3e-42), t(1e-40, 3e-42), RIGHT),
    Case("denormals flushed to zero", t(1e-40, 3e-42), t(0.0, 0.0), RIGHT),
    Case("denormals become one", t(1e-40, 3e-42), t(1.0, 1.0), WRONG),
    Case("small as noise is, and wrong", 1e-9 * X, 1e-9 * X.flip(0), WRONG),
    Case("values where noise was", 1e-9 * X, X, WRONG),
    Case("small but not noise, wrong", 1e-3 * X, -1e-3 * X, WRONG),
    Case("small bfloat16, not noise, wrong", (1e-3 * X).bfloat16(), -(1e-3 * X).bfloat16(), WRONG),
    Case("constant golden", torch.full((9,), 0.1), torch.full((9,), 0.1), RIGHT),
    Case("constant golden, noise", torch.full((9,), 0.1), 0.1 + 1e-7 * torch.arange(9), RIGHT),
    Case("constant golden, another constant", torch.full((9,), 0.1), torch.full((9,), 0.2), WRONG),
    Case("constant golden, one off", torch.ones(9), changed(torch.ones(9), 4, 2.0), WRONG),
    Case(
        "constant up to rounding",
        ROWS_SUM_TO_ONE.sum(-1),
        torch.ones(512) + 1e-4 * randn(512),
        RIGHT,
    ),
    Case("constant up to rounding, wrong", ROWS_SUM_TO_ONE.sum(-1), torch.zeros(512), WRONG),
    Case("scalar", 0.5, 0.5 + 1e-7, RIGHT),
    Case("scalar, wrong", 0.5, 0.6, WRONG),
    Case("scalar, sign", 0.5, -0.5, WRONG),
    Case("0-d tensor, wrong", torch.tensor(0.5), torch.tensor(0.6), WRONG),
    Case("single element", t(3.0), t(3.0001), RIGHT),
    Case("single element, wrong", t(3.0), t(4.0), WRONG),
    Case("two elements, same direction", t(1.0, 2.0), t(3.0, 9.0), WRONG),
    Case("empty", torch.empty(0, 3), torch.empty(0, 3), RIGHT),
    Case("empty of another shape", torch.empty(0, 3), torch.empty(0, 4), WRONG),
    Case("empty for something", X, torch.empty(0, 32), WRONG),
    Case("empty containers", [], (), RIGHT),
    Case("nothing for something", [X], [], WRONG),
    Case("something for nothing", [], [X], WRONG),
    # --- scale and precision
    Case("huge", 1e300 * X.double(), 1e300 * X.double(), RIGHT),
    Case("huge, noise", 1e300 * X.double(), 1.001e300 * X.double(), RIGHT),
    Case("huge, wrong", 1e300 * X.double(), 1e300 * X.double().flip(0), WRONG),
    Case("huge, negated", 1e308 * X.double().clamp(-1, 1), -1e308 * X.double().clamp(-1, 1), WRONG),
    Case("large mean", MEAN, MEAN + 1e-3 * randn(4096, seed=7, dtype=torch.float64), RIGHT),
    Case("large mean, noise shuffled", MEAN, MEAN.flip(0), WRONG),
    Case("large mean, noise lost", MEAN, torch.full_like(MEAN, 1e8), WRONG),
    Case("large mean that float32 cannot tell", MEAN.float(), MEAN.float() + 8, RIGHT),
    Case("narrow bfloat16, a unit off", NARROW, NARROW + 2**-7 * X.sign().bfloat16(), RIGHT),
    Case("narrow bfloat16, wrong by more", NARROW, NARROW + 2**-4 * X.sign().bfloat16(), WRONG),
    Case(
        "narrow bfloat16, shuffled",
        (1 + 0.05 * X).bfloat16(),
        (1 + 0.05 * X).bfloat16().flip(0),
        WRONG,
    ),
    Case("outlier in bfloat16", OUTLIER, OUTLIER.clone(), RIGHT),
    Case(
        "outlier right, rest negated", OUTLIER, torch.where(OUTLIER > 100, OUTLIER, -OUTLIER), WRONG
    ),
    # --- dtypes
    Case("float32 and bfloat16", X, X.bfloat16(), RIGHT),
    Case("float32 and float16", X, X.half(), RIGHT),
    Case("float64 and float32", X.double(), X, RIGHT),
    Case("bfloat16, wrong", X, -X.bfloat16(), WRONG),
    Case("float16 near its largest", t(60000.0, 1.0).half(), t(60000.0, 1.0).half(), RIGHT),
    Case("float16 overflow", t(60000.0, 1.0).half(), t(INF, 1.0).half(), WRONG),
    Case("float8", X.to(torch.float8_e4m3fn), X.to(torch.float8_e4m3fn), RIGHT),
    Case("float8, wrong", X.to(torch.float8_e4m3fn), (-X).to(torch.float8_e4m3fn), WRONG),
    Case("int64 and int32", t(1, -2, dtype=torch.int64), t(1, -2, dtype=torch.int32), RIGHT),
    Case("int, off by one", t(1, 2, dtype=torch.int64), t(1, 3, dtype=torch.int64), WRONG),
    Case(
        "int, off by one in a million",
        torch.arange(10**6),
        changed(torch.arange(10**6), 7, 8),
        WRONG,
    ),
    Case(
        "int64 beyond 2**53",
        t(2**53 + 1, dtype=torch.int64),
        t(2**53 + 1, dtype=torch.int64),
        RIGHT,
    ),
    Case(
        "int64 beyond 2**53, wrong",
        t(2**53, dtype=torch.int64),
        t(2**53 + 1, dtype=torch.int64),
        WRONG,
    ),
    Case("Python int beyond 2**53, wrong", 2**60, 2**60 + 1, WRONG),
    Case("uint8 wraps", t(255, dtype=torch.uint8), t(-1, dtype=torch.int8), WRONG),
    Case("uint64 wraps", np.array([2**64 - 1], dtype=np.uint64), t(-1, dtype=torch.int64), WRONG),
    Case("bool", t(True, False, dtype=torch.bool), t(True, False, dtype=torch.bool), RIGHT),
    Case("bool, wrong", t(True, False, dtype=torch.bool), t(True, True, dtype=torch.bool), WRONG),
    Case("bool and int", t(True, False, dtype=torch.bool), t(1, 0, dtype=torch.int64), WRONG),
    Case("True and 1", True, 1, WRONG),
    Case("int and float", t(1, 2, dtype=torch.int64), t(1.0, 2.0), WRONG),
    Case("1 and 1.0", 1, 1.0, WRONG),
    Case("float and complex", X, X.to(torch.complex64), WRONG),
    Case("complex", randn(32, dtype=torch.complex64), randn(32, dtype=torch.complex64), RIGHT),
    Case(
        "complex of another width",
        randn(32, dtype=torch.complex128),
        randn(32, dtype=torch.complex64),
        RIGHT,
    ),
    Case(
        "complex conjugated",
        randn(32, dtype=torch.complex64),
        randn(32, dtype=torch.complex64).conj(),
        WRONG,
    ),
    Case(
        "complex rotated",
        randn(32, dtype=torch.complex64),
        1j * randn(32, dtype=torch.complex64),
        WRONG,
    ),
    # --- shapes
    Case("(3, 1) and (3,)", torch.ones(3, 1), torch.ones(3), WRONG),
    Case("(3,) and (3, 3) of equal rows", torch.ones(3), torch.ones(3, 3), WRONG),
    Case("(1,) and ()", t(1.0), torch.tensor(1.0), WRONG),
    Case("flattened", X, X.flatten(), WRONG),
    Case("one row short", X, X[:-1], WRONG),
    Case(
        "int (3, 1) and (3,)",
        torch.ones(3, 1, dtype=torch.int64),
        torch.ones(3, dtype=torch.int64),
        WRONG,
    ),
    # --- structure, strings, None
    Case("text", "a cat", "a cat", RIGHT),
    Case("text, wrong", "a cat", "a hat", WRONG),
    Case("text cut short", ["one", "two"], ["one", "tw"], WRONG),
    Case("texts swapped", ["one", "two"], ["two", "one"], WRONG),
    Case("text and number", "1", 1, WRONG),
    Case("text and None", "None", None, WRONG),
    Case("None", [X, None], [X, None], RIGHT),
    Case("None for a tensor", [X, X], [X, None], WRONG),
    Case("tensor for None", [X, None], [X, X], WRONG),
    Case("one output too few", [X, X], [X], WRONG),
    Case("one output too many", [X], [X, X], WRONG),
    Case("two outputs swapped", [X, -X], [-X, X], WRONG),
    Case("another key", {"logits": X}, {"logit": X}, WRONG),
    Case("deep", {"a": [Pair(X, {"b": (X, "s", 3)})]}, {"a": [Pair(X, {"b": (X, "s", 3)})]}, RIGHT),
    Case(
        "deep, last leaf wrong",
        {"a": [Pair(X, {"b": (X, "s", 3)})]},
        {"a": [Pair(X, {"b": (X, "s", 4)})]},
        WRONG,
    ),
    Case("dataclass", Boxes(X), Boxes(X + 1e-6), RIGHT),
    Case("dataclass, wrong tensor", Boxes(X), Boxes(X + 1), WRONG),
    Case("dataclass, wrong label", Boxes(X), Boxes(X, "dog"), WRONG),
    Case("ModelOutput", CausalLMOutputWithPast(logits=X), CausalLMOutputWithPast(logits=X), RIGHT),
    Case(
        "ModelOutput, wrong",
        CausalLMOutputWithPast(logits=X),
        CausalLMOutputWithPast(logits=-X),
        WRONG,
    ),
    Case("ModelOutput lacks a field", BaseModelOutput(X, (X,)), BaseModelOutput(X), WRONG),
    Case(
        "ModelOutput, hidden states swapped",
        BaseModelOutput(X, (X, -X)),
        BaseModelOutput(X, (-X, X)),
        WRONG,
    ),
    # --- KV caches
    Case("dynamic cache", cache(), cache(), RIGHT),
    Case("dynamic cache, keys for values", cache(), cache(swap=True), WRONG),
    Case("dynamic cache, one layer short", cache(), cache(layers=1), WRONG),
    Case("dynamic cache, never written", cache(), DynamicCache(), WRONG),
    Case("static cache", cache(StaticCache), cache(StaticCache), RIGHT),
    Case("static cache, wrong", cache(StaticCache), cache(StaticCache, swap=True), WRONG),
    Case(
        "encoder-decoder cache",
        EncoderDecoderCache(cache(), cache()),
        EncoderDecoderCache(cache(), cache()),
        RIGHT,
    ),
    Case(
        "encoder-decoder cache, cross part wrong",
        EncoderDecoderCache(cache(), cache()),
        EncoderDecoderCache(cache(), cache(swap=True)),
        WRONG,
    ),
    Case(
        "cache in a model output",
        CausalLMOutputWithPast(logits=X, past_key_values=cache()),
        CausalLMOutputWithPast(logits=X, past_key_values=cache(swap=True)),
        WRONG,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_verdict(case):
    outputs = compare(case.golden, case.actual)
    told = mismatches(outputs)
    assert bool(told) is (case.passes is WRONG)
    assert bool(nothing_finite(outputs)) is (case.passes is NEITHER)
    if case.passes is not NEITHER:
        assert verdict(outputs) is case.passes
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in told)


def test_case_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)
