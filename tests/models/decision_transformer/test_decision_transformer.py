# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Decision Transformer: what to do next, by what it is to bring.

Configuration: edbeeching/decision-transformer-gym-hopper-medium, config.json.
"""

import torch
from transformers import DecisionTransformerConfig, DecisionTransformerModel

from bringup import model_test

from ..seeded import normal, padded
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = DecisionTransformerModel

    def config(self):
        return DecisionTransformerConfig(
            state_dim=11,
            act_dim=3,
            hidden_size=128,
            n_layer=3,
            n_head=1,
            activation_function="relu",
        )

    def _load_inputs(self):
        return {
            "states": normal(2, 20, 11),
            "actions": normal(2, 20, 3, seed=1),
            "rewards": normal(2, 20, 1, seed=2),
            "returns_to_go": normal(2, 20, 1, seed=3),
            "timesteps": torch.arange(20).expand(2, 20),
            "attention_mask": padded(20, 13, left=True),
        }


@model_test(ThisTester, "decision-transformer-hopper")
def test_decision_transformer(results):
    assert results.action_preds.shape == (2, 20, 3)
