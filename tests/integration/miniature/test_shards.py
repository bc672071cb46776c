# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

# Weights divided over chips: over all of them, over some beside a batch, and what is refused.

import torch

from bringup import CompilerConfig, ModelTester, Variant, model_test


class Divided(ModelTester):
    tensor_parallel_mode = True

    def _load_model(self):
        first, second = torch.nn.Linear(16, 32), torch.nn.Linear(32, 16)
        return torch.nn.Sequential(first, torch.nn.GELU(), second)

    def _load_inputs(self):
        return torch.randn(4, 16)

    def get_mesh_config(self, num_devices):
        rows = 2 if self.variant == "both" else 1
        return (rows, num_devices // rows), ("batch", "model")

    def load_shard_spec(self, model):
        bias = ("model",) if self.variant != "odd" else ("batch", "model")
        return {
            model[0].weight: ("model", None),
            "0.bias": bias,
            model[2].weight: (None, "model"),
        }


@model_test(Divided, Variant("weights"), Variant("both"), Variant("odd"))
def test_divided(results):
    assert results.shape == (4, 16)


def test_both_ways():
    config = CompilerConfig()
    config.automatic_parallelization = True
    Divided("both ways", compiler_config=config).test_model()
