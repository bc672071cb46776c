# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Attention U-Net: gates choose what a skip lets through.

Configuration: Oktay et al. 2018, arXiv:1804.03999, widths 64 to 1024.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .attention_unet import AttentionUnet


class ThisTester(NetTester):
    batch, side = 1, at_most(256, 64)

    def net(self):
        return AttentionUnet()


@model_test(ThisTester, "attention-unet", modes=("train", "eval"))
def test_attention_unet(results, tester):
    assert results.shape == (1, 2, tester.side, tester.side)
