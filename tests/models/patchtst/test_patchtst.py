# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""PatchTST: forecasts seven series by patches of them.

Configuration: Nie et al. 2022, arXiv:2211.14730, appendix A.1.4; 512 steps, 96 ahead.
"""

from transformers import PatchTSTConfig, PatchTSTForPrediction

from bringup import model_test

from ..seeded import normal
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = PatchTSTForPrediction

    def config(self):
        return PatchTSTConfig(
            num_input_channels=7,
            context_length=512,
            patch_length=16,
            patch_stride=8,
            prediction_length=96,
            num_attention_heads=16,
            ffn_dim=256,
            loss="mse",
        )

    def _load_inputs(self):
        inputs = {"past_values": normal(2, 512, 7)}
        if self.mode == "train":
            inputs["future_values"] = normal(2, 96, 7, seed=1)
        return inputs


@model_test(ThisTester, "patchtst-64", modes=("train", "eval"))
def test_patchtst(results):
    assert results.prediction_outputs.shape == (2, 96, 7)
