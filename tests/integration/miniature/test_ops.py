# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

"""A model with healthy ops, ops that stop where they are imported, lowered and compiled, and one
that lowers to something else."""

import pytest
import torch

from bringup import CompileDepth, CompilerConfig, ModelTester, OpByOpBackend


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = torch.nn.functional.max_pool2d(x, 3, 2, 1, ceil_mode=True)
        x = torch.lgamma(x.mean((2, 3)) + 1) + 1
        x = torch.cond(x.sum() > 0, lambda y: y.sin(), lambda y: y.cos(), (x,))
        return x * x.max().item()


class ThisTester(ModelTester):
    def _load_model(self):
        return Model()

    def _load_inputs(self):
        return torch.randn(1, 3, 12, 12)


@pytest.mark.parametrize("mode", ["eval"])
@pytest.mark.parametrize("depth", ["COMPILE_OP_BY_OP", "EXECUTE_OP_BY_OP"])
@pytest.mark.parametrize("op_by_op", [OpByOpBackend.TORCH], ids=["op_by_op_torch"])
def test_ops(op_by_op, depth, mode):
    cc = CompilerConfig()
    cc.compile_depth = CompileDepth[depth]
    cc.op_by_op_backend = op_by_op
    tester = ThisTester("ops", mode, compiler_config=cc)
    assert isinstance(tester.test_model(), torch.Tensor), "of the golden"
    tester.finalize()
