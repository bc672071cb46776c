# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Models whose program is off by a known factor: by little, by much, and by nothing."""

import pytest
import torch
from torch import nn

from bringup import ModelTester


class Off(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.l, self.factor = nn.Linear(64, 64), factor

    def forward(self, x):
        x = self.l(x)
        return x * self.factor if torch.compiler.is_compiling() else x


@pytest.mark.parametrize("factor", [1.0, 1.012, 1.5])
@pytest.mark.parametrize("flow", ["full-eval"])
def test_nearly(flow, factor):
    class Tester(ModelTester):
        def _load_model(self):
            torch.manual_seed(0)
            return Off(factor)

        def _load_inputs(self):
            return torch.randn(8, 64)

    tester = Tester("nearly", "eval")
    tester.test_model()
    tester.finalize()
