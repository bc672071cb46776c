# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""ONNX models that real compilers get wrong, refuse, or die of, each by something in its middle."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bringup import OnnxModelTester

WIDTH = 4


class Network:
    """Builds a small residual ONNX network with one odd step between its two halves."""

    def __init__(self):
        self.nodes, self.constants = [], []
        self._random = np.random.default_rng(0)

    def node(self, kind, *inputs, name=None, **attributes):
        output = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], f"n_{output}", **attributes))
        return output

    def constant(self, value):
        name = f"c_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, *shape):
        scale = np.sqrt(np.prod(shape[1:], dtype=np.float32))
        return self.constant(self._random.standard_normal(shape, dtype=np.float32) / scale)

    def block(self, x):
        kernel = self.weight(WIDTH, WIDTH, 3, 3)
        y = self.node("Conv", x, kernel, pads=[1, 1, 1, 1])
        return self.node("Relu", self.node("Add", y, x))

    def head(self, x):
        """Flattened by a shape that is itself computed, as exporters do it."""
        x = self.node("Transpose", x, perm=[0, 2, 3, 1])
        x = self.node("MatMul", x, self.weight(WIDTH, 32))
        batch = self.node("Gather", self.node("Shape", x), self.constant(np.array([0])))
        shape = self.node("Concat", batch, self.constant(np.array([-1])), axis=0)
        return self.node("Reshape", x, shape, name="scores")

    def model(self, middle):
        x = self.block(self.node("Conv", "x", self.weight(WIDTH, 3, 1, 1)))
        self.head(self.block(middle(self, x)))
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 12, 12])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", None])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def ceil_pool(net, x):
    """torch-mlir pads the wrong side: the result does not follow onnxruntime's."""
    return net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


def negative_modulus(net, x):
    """torch-mlir's integer remainder takes the sign of the dividend, ONNX's of the divisor."""
    ten, three = net.constant(np.float32(10)), net.constant(np.int64(3))
    whole = net.node("Cast", net.node("Mul", x, ten), to=TensorProto.INT64)
    whole = net.node("Sub", whole, net.constant(np.int64(40)))
    return net.node("Cast", net.node("Mod", whole, three), to=TensorProto.FLOAT)


def fused(net, x):
    """XLA makes log(exp(x)) to x, also where exp(x) is infinite; each op alone is right."""
    y = net.node("Log", net.node("Exp", net.node("Mul", x, net.constant(np.float32(1000)))))
    y = net.node("Clip", y, "", net.constant(np.float32(1e9)))
    return net.node("Mul", y, net.constant(np.float32(1e-3)))


def refused(net, x):
    """torch-mlir converts no LpPool whose norm is not 2."""
    return net.node("LpPool", x, kernel_shape=[2, 2], p=3)


def unique(net, x):
    """torch-mlir dies of it."""
    flat = net.node("Unique", x)
    total = net.node("ReduceSum", flat, keepdims=0)
    return net.node("Add", x, total)


MIDDLES = {
    "ceil_pool": ceil_pool,
    "negative_modulus": negative_modulus,
    "fused": fused,
    "refused": refused,
    "unique": unique,
}


@pytest.mark.parametrize("name", MIDDLES)
@pytest.mark.parametrize("flow", ["full-eval"])
def test_wrong_onnx(flow, name):
    class ThisTester(OnnxModelTester):
        def _load_model(self):
            return Network().model(MIDDLES[name])

        def _load_inputs(self):
            return torch.randn(1, 3, 12, 12)

    tester = ThisTester(name, "eval")
    tester.test_model()
    tester.finalize()
