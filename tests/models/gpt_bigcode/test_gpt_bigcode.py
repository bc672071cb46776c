# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""StarCoder, tiny: one key and value for all heads.

Configuration: bigcode/tiny_starcoder_py, config.json.
"""

from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

from bringup import model_test

from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = GPTBigCodeForCausalLM
    vocabulary = 49152

    def config(self):
        return GPTBigCodeConfig(
            vocab_size=self.words,
            n_embd=768,
            n_inner=3072,
            n_layer=20,
            n_head=12,
            n_positions=8192,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=0,
        )


@model_test(ThisTester, "tiny-starcoder-py", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_gpt_bigcode(results, tester):
    tester.check(results)
