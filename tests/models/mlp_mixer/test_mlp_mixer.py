# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""MLP-Mixer B/16: layers over places and layers over channels by turns.

Configuration: Tolstikhin et al. 2021, arXiv:2105.01601, table 1.
"""

from bringup import model_test

from ..seeded import at_most
from ..testers import NetTester
from .mlp_mixer import MlpMixer


class ThisTester(NetTester):
    def net(self):
        return MlpMixer(depth=at_most(12, 2))


@model_test(ThisTester, "mlp-mixer-b16", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_mlp_mixer(results):
    assert results.shape == (2, 1000)
