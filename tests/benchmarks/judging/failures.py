# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Failures of 20 known causes, in the words of compilers and runtimes whose diagnostics the masks
were not written after, each time with other numbers, names and wrappers around them."""

import random
from collections.abc import Callable

from bringup.pipeline.history.causes.clusters import Failing

CAUSES = (
    ("compile", "", "pass pipeline {id} ran {n} times without a fixed point in region {n}"),
    ("compile", "", "cannot bufferize {type}: two writers of %buf_{n} at {path}:{n}:{n}"),
    ("compile", "aten.einsum", "equation has {n} labels and operand {n} of {shape} has rank {n}"),
    ("compile", "aten.upsample", "scale {x} gives an output of {shape}, grid allows {n}"),
    ("compile", "", "vectorizer left {n} scalar loops in func_{n}, target has no masked store"),
    ("compile", "", "symbol '_Z4gemm{fixed}' is multiply defined in obj_{n}.o and obj_{n}.o"),
    ("execute", "", "dma descriptor {addr} is not aligned to {n} bytes (channel {n})"),
    ("execute", "", "watchdog: core ({n},{n}) silent for {n} ms, program counter {addr}"),
    ("execute", "", "semaphore {n} underflow: had {n}, released {n}"),
    ("execute", "aten.topk", "k={n} exceeds the {n} lanes of the sorter"),
    ("execute", "", "ethernet link {n} retrained {n} times in {x} s"),
    ("load", "", "safetensors header of {path} ends at byte {n}, file has {n}"),
    ("load", "", "config of {hash} asks for rope type llama{n}, this library has none"),
    ("load", "", "image {path} has {n} planes, the processor wants RGB"),
    ("export", "", "symbolic size s{n} escapes the graph through {type}"),
    ("export", "", "unsupported mutation of module attribute cache_{n} in {path}"),
    ("verify", "", "{n} of {n} tokens differ, first at position {n} ({hash} against {hash})"),
    ("verify", "", "checksum of kv cache {addr} changed between {n} identical runs"),
    ("stablehlo", "", "cannot materialize constant of {n} elements as {type}"),
    ("golden", "", "reference run left {n} warnings of denormal inputs in {shape}"),
)


def injected(count: int, seed: int) -> list[tuple[int, Failing]]:
    """`count` failures with the number of their cause, each cause as often as any other."""
    rng = random.Random(seed)
    found = []
    for i in range(count):
        cause = i % len(CAUSES)
        stage, op, pattern = CAUSES[cause]
        message = rng.choice(_WRAPPERS)(_filled(pattern, rng), rng)
        test = f"m{rng.randrange(999)}_{i}[full-eval]@n150"
        found.append((cause, Failing(test, "n150", stage, message, op, op_key=str(i))))
    rng.shuffle(found)
    return found


def _filled(pattern: str, rng: random.Random) -> str:
    makers: dict[str, Callable[[], str]] = {
        "{n}": lambda: str(rng.choice((rng.randrange(9), rng.randrange(10**6)))),
        "{x}": lambda: f"{rng.random() * 10 ** rng.randrange(-6, 6):.{rng.randrange(2, 9)}g}",
        "{addr}": lambda: f"0x{rng.randrange(1 << 47):012x}",
        "{hash}": lambda: f"{rng.getrandbits(128):032x}",
        "{id}": lambda: f"jit_step_{rng.randrange(99)}",
        "{fixed}": lambda: "Pfi",
        "{path}": lambda: (
            f"/scratch/u{rng.randrange(99)}/run-{rng.randrange(999)}/part.{_word(rng)}"
        ),
        "{shape}": lambda: _shape(rng),
        "{type}": lambda: f"tensor<{_dims(rng)}x{rng.choice(('f32', 'bf16', 'i8'))}>",
    }
    for name, make in makers.items():
        while name in pattern:
            pattern = pattern.replace(name, make(), 1)
    return pattern


def _word(rng: random.Random) -> str:
    return "".join(rng.choices("abcdefgh", k=5))


def _dims(rng: random.Random) -> str:
    return "x".join(str(rng.randrange(1, 4096)) for _ in range(rng.randrange(1, 5)))


def _shape(rng: random.Random) -> str:
    dims = ", ".join(str(rng.randrange(1, 512)) for _ in range(rng.randrange(1, 5)))
    return rng.choice((f"[{dims}]", f"({dims})", f"torch.Size([{dims}])"))


def _traceback(said: str, rng: random.Random) -> str:
    frames = "".join(
        f'  File "/x/{_word(rng)}.py", line {rng.randrange(999)}, in f\n    g()\n' for _ in range(3)
    )
    return f"Traceback (most recent call last):\n{frames}RuntimeError: {said}\n"


_WRAPPERS: tuple[Callable[[str, random.Random], str], ...] = (
    lambda said, _: said,
    lambda said, _: f"RuntimeError: {said}",
    lambda said, rng: f"model.mlir:{rng.randrange(99)}:{rng.randrange(99)}: error: {said}\n  ^",
    lambda said, rng: f"{said} (dispatch_{_word(rng)}.cpp:{rng.randrange(9999)})",
    lambda said, rng: f"{said} - https://example.com/{_word(rng)}/issues/{rng.randrange(9999)}",
    lambda said, rng: f"2026-11-{rng.randrange(10, 28)} 01:{rng.randrange(10, 59)}:07.5: {said}",
    _traceback,
)
