# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Weights for the `light_*` models of the onnx package.

They are real networks with their weights left out: each is a `ConstantOfShape`, so all outputs
are equal and no correlation with them is defined. Here each becomes a seeded initializer.
"""

import math

import numpy as np
import onnx
from onnx import numpy_helper

_ONES = {("BatchNormalization", 1), ("BatchNormalization", 4), ("Mul", 1)}
"""(op, input index) where a vector scales: gamma, variance, and a scale spelled as a product."""


def seed_weights(model: onnx.ModelProto, seed: int = 0) -> None:
    """Replace, in place, every constant-filled weight of `model`."""
    graph = model.graph
    rng = np.random.default_rng(seed)
    uses = _uses(graph)
    gain = _gain(graph)
    shapes = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        shape = shapes[node.input[0]]
        (name,) = node.output
        centre = 1.0 if uses[name] in _ONES else 0.0
        value = _draw(rng, tuple(numpy_helper.to_array(shape)), centre, gain)
        graph.node.remove(node)
        graph.initializer.remove(shape)
        graph.initializer.append(numpy_helper.from_array(value, name))


def _draw(
    rng: np.random.Generator, shape: tuple[int, ...], centre: float, gain: float
) -> np.ndarray:
    """Matrices and kernels keep the signal's size; vectors lie around `centre`."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if len(shape) == 1:
        return np.float32(centre) + np.float32(0.02) * noise
    return noise * np.float32(math.sqrt(gain / math.prod(shape[1:])))


def _gain(graph: onnx.GraphProto) -> float:
    """He's factor of 2, or a quarter of it where shortcuts add up and the signal would explode."""
    return 0.5 if any(node.op_type == "Sum" for node in graph.node) else 2.0


def _uses(graph: onnx.GraphProto) -> dict[str, tuple[str, int]]:
    """For each tensor the op that reads it and as which input, seen through `Unsqueeze`."""
    uses = {}
    for node in reversed(graph.node):
        for index, name in enumerate(node.input):
            through = node.op_type == "Unsqueeze" and node.output[0] in uses
            uses[name] = uses[node.output[0]] if through else (node.op_type, index)
    return uses
