# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""CodeGen 350M: a decoder with rotary positions, trained on programs.

Configuration: Salesforce/codegen-350M-mono, config.json.
"""

from transformers import CodeGenConfig, CodeGenForCausalLM

from bringup import model_test

from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = CodeGenForCausalLM
    vocabulary = 51200

    def config(self):
        return CodeGenConfig(
            vocab_size=self.words,
            n_embd=1024,
            n_layer=20,
            n_head=16,
            rotary_dim=32,
            n_positions=2048,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
        )


@model_test(ThisTester, "codegen-350M-mono", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_codegen(results, tester):
    tester.check(results)
