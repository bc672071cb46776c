# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DLRM: what somebody clicks, by embeddings and their products.

Configuration: Naumov et al. 2019, arXiv:1906.00091; 13 numbers and 26 words of 1,000 each, width
16.
"""

from bringup import ModelTester, model_test

from ..seeded import drawn, normal, tokens
from .dlrm import Dlrm


class ThisTester(ModelTester):
    def net(self):
        return Dlrm()

    def _load_model(self):
        return drawn(self.net)

    def _load_inputs(self):
        return {"numbers": normal(8, 13), "words": tokens(1000, 8, 26, 3)}


@model_test(ThisTester, "dlrm-criteo", modes=("train", "eval"))
def test_dlrm(results):
    assert results.shape == (8, 1) and 0 < results.min() <= results.max() < 1
