# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch

from bringup import ModelTester, model_test

from ..seeded import normal
from .unet import UNet


class ThisTester(ModelTester):
    def _load_model(self):
        torch.manual_seed(0)
        return UNet(in_channels=1, classes=2)

    def _load_inputs(self):
        return normal(1, 1, 256, 256)  # a grey picture


@model_test(ThisTester, "unet-2015")
def test_unet(results):
    assert results.shape == (1, 2, 256, 256)
