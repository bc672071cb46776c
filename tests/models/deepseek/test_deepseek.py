# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DeepSeek-V3: latent attention and shared experts.

Configuration: a small one of our own, after DeepSeek-AI 2024, arXiv:2412.19437.
"""

from transformers import DeepseekV3Config, DeepseekV3ForCausalLM

from bringup import model_test

from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = DeepseekV3ForCausalLM
    vocabulary = 32000

    def config(self):
        return DeepseekV3Config(
            vocab_size=self.words,
            hidden_size=512,
            intermediate_size=1024,
            moe_intermediate_size=256,
            num_hidden_layers=4,
            num_attention_heads=8,
            num_key_value_heads=8,
            n_routed_experts=8,
            num_experts_per_tok=2,
            n_group=2,
            topk_group=1,
            first_k_dense_replace=1,
            q_lora_rank=192,
            kv_lora_rank=64,
            qk_nope_head_dim=32,
            qk_rope_head_dim=16,
            v_head_dim=32,
        )


@model_test(ThisTester, "deepseek-v3-small")
def test_deepseek(results, tester):
    tester.check(results)
