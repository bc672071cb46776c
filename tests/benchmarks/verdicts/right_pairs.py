# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Pairs of right outputs: one computation, rounded in two ways, and the same in float64.

Every way is real arithmetic of PyTorch in the pair's dtype: sums in another order, other formulae
for softmax and normalisation, other splits of a product. Nothing is noise drawn from a generator.
"""

import functools
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Outputs = Mapping[str, torch.Tensor]
Way = Callable[[torch.dtype, bool], Outputs]
"""Computes in a dtype; True: in another order."""

F8 = (torch.float8_e4m3fn, torch.float8_e5m2)
DTYPES = (torch.float32, torch.float32, torch.float32, torch.bfloat16, torch.float16, *F8)
_SCALES = {
    torch.float32: 30.0,
    torch.bfloat16: 30.0,
    torch.float16: 2.0,
    torch.float8_e4m3fn: 1.0,
    torch.float8_e5m2: 2.0,
}
"""Decades to either side of 1 that outputs are scaled by."""


@dataclass(frozen=True)
class RightPair:
    """Two right answers to one question."""

    name: str
    golden: Outputs
    actual: Outputs
    reference: Outputs
    """In float64."""
    training: bool = False
    """Outputs are a loss and gradients."""


def draw(rng: random.Random) -> RightPair:
    """One pair; the same for the same state of `rng`."""
    name = rng.choice(list(_MAKERS))
    dtype = rng.choice(DTYPES)
    way = _MAKERS[name](rng)
    training = name.startswith("gradients")
    if training or name in _WIDE_ONLY:
        dtype = torch.float32
    scale = 10.0 ** rng.uniform(-_SCALES[dtype], _SCALES[dtype]) if rng.random() < 0.5 else 1.0
    scale = 2.0 ** round(math.log2(scale))  # exact, so that it is no rounding of its own
    computed = torch.float32 if dtype in F8 else dtype

    def run(compute: torch.dtype, other: bool) -> dict[str, torch.Tensor]:
        kept = torch.float64 if compute is torch.float64 else dtype
        values = way(compute, other).items()
        return {key: (value.to(torch.float64) * scale).to(kept) for key, value in values}

    return RightPair(
        f"{name}, {dtype}, x{scale:.0e}",
        run(computed, False),
        run(computed, True),
        run(torch.float64, False),
        training,
    )


def _normal(rng: random.Random, *shape: int, over: float = 1.0, plus: float = 0.0) -> torch.Tensor:
    """Normal numbers in float64, of eight bits: every dtype of the pairs has them."""
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    values = torch.randn(*shape, generator=generator, dtype=torch.float64) / over + plus
    return values.bfloat16().double()


def _sum(values: torch.Tensor, other: bool) -> torch.Tensor:
    """Along the last axis, as PyTorch does, or backwards one after the other."""
    if not other:
        return values.sum(-1)
    total = torch.zeros_like(values[..., 0], dtype=_accumulated(values.dtype))
    for column in values.flip(-1).unbind(-1):
        total = total + column
    return total.to(values.dtype)


def _accumulated(dtype: torch.dtype) -> torch.dtype:
    """What sums are kept in: everybody's, PyTorch's included, are no narrower than float32."""
    return torch.promote_types(dtype, torch.float32)


def _product(x: torch.Tensor, w: torch.Tensor, other: bool) -> torch.Tensor:
    """x @ w; otherwise in four parts of the inner axis, last first."""
    if not other:
        return x @ w
    wide = _accumulated(x.dtype)
    parts = zip(x.to(wide).chunk(4, -1)[::-1], w.to(wide).chunk(4, -2)[::-1], strict=True)
    return functools.reduce(torch.add, (a @ b for a, b in parts)).to(x.dtype)


def _softmax(x: torch.Tensor, other: bool) -> torch.Tensor:
    if not other:
        return x.softmax(-1)
    wide = x.to(_accumulated(x.dtype))
    powers = (wide - wide.amax(-1, keepdim=True)).exp()
    return (powers / _sum(powers, True)[..., None]).to(x.dtype)


def _layer_norm(x: torch.Tensor, other: bool) -> torch.Tensor:
    if not other:
        return torch.nn.functional.layer_norm(x, x.shape[-1:])
    wide = x.to(_accumulated(x.dtype))
    mean = (_sum(wide, True) / x.shape[-1])[..., None]
    variance = (_sum((wide - mean) ** 2, True) / x.shape[-1])[..., None]
    return ((wide - mean) * (variance + 1e-5).rsqrt()).to(x.dtype)


def _mlp(rng: random.Random) -> Way:
    width, depth = rng.choice([32, 64, 128]), rng.choice([1, 2, 4])
    x = _normal(rng, rng.choice([1, 4, 32]), width)
    weights = [_normal(rng, width, width, over=width**0.5) for _ in range(depth)]

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        value = x.to(dtype)
        for weight in weights:
            value = torch.nn.functional.gelu(_product(value, weight.to(dtype), other))
            value = _layer_norm(value, other)
        return {"out": value}

    return way


def _attention(rng: random.Random) -> Way:
    tokens, width = rng.choice([8, 32, 64]), rng.choice([16, 64])
    q, k, v = (_normal(rng, 2, tokens, width) for _ in range(3))
    fill = rng.choice([-1e4, -1e9, -math.inf, None])
    mask = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        scores = _product(q.to(dtype), k.to(dtype).mT, other) / width**0.5
        if fill is not None:
            scores = scores.masked_fill(mask, max(fill, torch.finfo(dtype).min))
        weights = _softmax(scores, other)
        return {"scores": scores, "weights": weights, "out": _product(weights, v.to(dtype), other)}

    return way


def _added_mask(rng: random.Random) -> Way:
    tokens = rng.choice([16, 64])
    x, k = _normal(rng, tokens, 32), _normal(rng, 32, tokens)
    fill = rng.choice([-1e4, -1e9, -1e5])
    mask = torch.ones(tokens, tokens, dtype=torch.float64).triu(1) * fill

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        return {"scores": _product(x.to(dtype), k.to(dtype), other) + mask.to(dtype)}

    return way


def _convolution(rng: random.Random) -> Way:
    channels = rng.choice([8, 16])
    x, w = _normal(rng, 2, channels, 12, 12), _normal(rng, 8, channels, 3, 3, over=channels)

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        image, weight = x.to(dtype), w.to(dtype)
        if not other:
            return {"out": torch.nn.functional.conv2d(image, weight)}
        patches = torch.nn.functional.unfold(image.float(), 3).to(dtype)
        if dtype is torch.float64:
            patches = torch.nn.functional.unfold(image, 3)
        flat = _product(patches.mT, weight.reshape(8, -1).mT, True)
        return {"out": flat.mT.reshape(2, 8, 10, 10)}

    return way


def _cancelled(rng: random.Random) -> Way:
    rows, width = rng.choice([1, 8, 64]), rng.choice([3, 64, 256])
    x = _normal(rng, rows, width, plus=rng.choice([0.0, 10.0]))

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        value = x.to(dtype)
        centred = value - (_sum(value, other) / width)[:, None]
        normed = _layer_norm(value, other)
        return {
            "means": _sum(centred, other) / width,
            "normed": normed,
            "sums": _sum(normed, other),
        }

    return way


def _constant(rng: random.Random) -> Way:
    x = _normal(rng, rng.choice([1, 16, 256]), rng.choice([16, 512]))

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        return {"sums": _sum(_softmax(x.to(dtype), other), other)}

    return way


def _outlier(rng: random.Random) -> Way:
    x, w = _normal(rng, 16, 64), _normal(rng, 64, 64, over=8)
    column, size = rng.randrange(64), 2.0 ** rng.randrange(7, 20)
    w[:, column] *= size

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        return {"hidden": _product(x.to(dtype), w.to(dtype), other)}

    return way


def _sparse(rng: random.Random) -> Way:
    x, w = _normal(rng, 32, 64), _normal(rng, 64, 64, over=8)

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        return {"relu": (_product(x.to(dtype), w.to(dtype), other) - 2).relu()}

    return way


def _rows_of_scales(rng: random.Random) -> Way:
    x, w = _normal(rng, 16, 64), _normal(rng, 64, 32, over=8)
    sizes = torch.tensor([2.0 ** rng.randrange(-10, 4) for _ in range(16)], dtype=torch.float64)

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        return {"out": _product((x * sizes[:, None]).to(dtype), w.to(dtype), other)}

    return way


def _mixed_scales(rng: random.Random) -> Way:
    """Rows, columns or heads that are scaled apart, and some that are left by cancellation."""
    heads, tokens, width = rng.choice([1, 4]), rng.choice([1, 8, 64]), rng.choice([1, 16, 64])
    x, w = _normal(rng, heads, tokens, 64), _normal(rng, 64, width, over=8)
    shape = [heads, tokens, width]
    axis = rng.choice([at for at, size in enumerate(shape) if size > 1] or [0])
    scales = torch.ones(shape[axis], dtype=torch.float64)
    small = rng.sample(range(shape[axis]), max(1, shape[axis] // rng.choice([2, 4, 64])))
    scales[small] = 2.0 ** -rng.randrange(3, 67)
    near = (w + _normal(rng, 64, width, over=2.0 ** rng.randrange(3, 20))).bfloat16().double()
    scales = scales.view([-1 if at == axis else 1 for at in range(3)])
    # a number alone says nothing of what it was made of: one throw may be a hundredth of another
    cancels = rng.random() < 0.5 and heads * tokens * width >= 16

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        value = _product(x.to(dtype), w.to(dtype), other)
        if not cancels:
            return {"out": value * scales.to(dtype)}
        rest = value - _product(x.to(dtype), near.to(dtype), other)
        return {"out": torch.where(scales < 1, rest, value), "apart": value * scales.to(dtype)}

    return way


def _gradients_of_scales(rng: random.Random) -> Way:
    """Of layers whose outputs are scaled apart by channel: so are the gradients' rows."""
    x, width = _normal(rng, 64, 32), 32
    start = {n: _normal(rng, width, width) / width**0.5 for n in ("first", "second")}
    scales = torch.ones(width, dtype=torch.float64)
    scales[rng.sample(range(width), rng.choice([1, 4, 16]))] = 2.0 ** -rng.randrange(3, 50)

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        w = {n: v.to(dtype, copy=True).requires_grad_() for n, v in start.items()}
        value = (x.flip(0) if other else x).to(dtype)
        value = (value @ w["first"]).tanh() * scales.to(dtype)
        loss = ((value @ w["second"]).tanh() * scales.to(dtype)).square().mean()
        loss.backward()
        grads = {f"grad.{n}": v.grad for n, v in w.items() if v.grad is not None}
        return {"loss": loss.detach(), **grads}

    return way


def _few_numbers(rng: random.Random) -> Way:
    rows, width = rng.choice([1, 2, 8, 500]), rng.choice([1, 2, 4])
    x, w = _normal(rng, rows, 256), _normal(rng, 256, width, over=16)

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        value = _product(x.to(dtype), w.to(dtype), other)
        return {"logits": value, "loss": value.square().mean() if not other else _mean(value)}

    def _mean(value: torch.Tensor) -> torch.Tensor:
        return _sum(value.square().flatten(), True) / value.numel()

    return way


def _gradients(rng: random.Random) -> Way:
    """Of a convolution with a bias before a batch normalisation, whose gradient is zero."""
    images, inner = _normal(rng, 8, 3, 16, 16), rng.choice([4, 16])
    start = {
        "conv.weight": _normal(rng, inner, 3, 3, 3) / 5,
        "conv.bias": _normal(rng, inner),
        "norm.weight": 1 + _normal(rng, inner) / 10,
        "norm.bias": _normal(rng, inner),
        "head": _normal(rng, inner, 10) / 4,
    }

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        w = {n: v.to(dtype, copy=True).requires_grad_() for n, v in start.items()}
        x = (images.flip(0) if other else images).to(dtype)
        value = torch.nn.functional.conv2d(x, w["conv.weight"], w["conv.bias"])
        value = torch.nn.functional.batch_norm(
            value, None, None, w["norm.weight"], w["norm.bias"], training=True
        )
        loss = (value.relu().mean((2, 3)) @ w["head"]).square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        grads = {f"grad.{n}": v.grad for n, v in w.items() if v.grad is not None}
        return {"loss": loss.detach(), **grads}

    return way


def _deep_gradients(rng: random.Random) -> Way:
    """Of attention whose key bias has a zero gradient, and layers whose gradients vanish."""
    width, x = 32, 2 * _normal(rng, 48, 32)
    names = ("early", "q", "k", "v", "late")
    start = {n: _normal(rng, width, width) / width**0.5 for n in names}
    start["k_bias"] = _normal(rng, width)
    start["early"] *= 10.0 ** rng.uniform(0, 6)  # what comes after a normalisation vanishes

    def way(dtype: torch.dtype, other: bool) -> Outputs:
        w = {n: v.to(dtype, copy=True).requires_grad_() for n, v in start.items()}
        value = _layer_norm(_product(x.to(dtype), w["early"], other), other)
        keys = value.flip(0) if other else value
        scores = (value @ w["q"]) @ (keys @ w["k"] + w["k_bias"]).mT / width**0.5
        value = scores.softmax(-1) @ (keys @ w["v"])
        loss = (value @ w["late"]).square().mean()
        loss.backward()
        grads = {f"grad.{n}": v.grad for n, v in w.items() if v.grad is not None}
        return {"loss": loss.detach(), **grads}

    return way


_MAKERS: dict[str, Callable[[random.Random], Way]] = {
    "mlp": _mlp,
    "attention": _attention,
    "added mask": _added_mask,
    "convolution": _convolution,
    "cancelled": _cancelled,
    "constant": _constant,
    "outlier": _outlier,
    "sparse": _sparse,
    "rows of scales": _rows_of_scales,
    "mixed scales": _mixed_scales,
    "mixed scales, again": _mixed_scales,
    "few numbers": _few_numbers,
    "gradients of a convolution": _gradients,
    "gradients of attention": _deep_gradients,
    "gradients of mixed scales": _gradients_of_scales,
}
_WIDE_ONLY = frozenset({"outlier", "added mask"})
"""Half precision has no room for these."""
