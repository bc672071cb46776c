# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
import torch
from tt_torch.tools.utils import CompilerConfig

from tests.utils import ModelTester


class ThisTester(ModelTester):
    def _load_model(self):
        return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8))

    def _load_inputs(self):
        return torch.randn(6, 4)


def run(mesh_shape, record_property):
    cc = CompilerConfig()
    cc.automatic_parallelization = True
    cc.mesh_shape = mesh_shape
    tester = ThisTester(
        "meshed", "eval", compiler_config=cc, record_property_handle=record_property
    )
    assert tester.test_model().shape == (6, 8)
    tester.finalize()


def test_meshed(record_property):
    run([1, 2], record_property)


def test_too_many(record_property):
    run([2, 8], record_property)
