# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""XGLM 564M: a decoder of 30 languages.

Configuration: facebook/xglm-564M, config.json.
"""

from transformers import XGLMConfig, XGLMForCausalLM

from bringup import model_test

from ..testers import DecoderTester, generating


class ThisTester(DecoderTester):
    architecture = XGLMForCausalLM
    vocabulary = 256008

    def config(self):
        return XGLMConfig(
            vocab_size=self.words, d_model=1024, ffn_dim=4096, num_layers=24, attention_heads=16
        )


@model_test(ThisTester, *generating("xglm-564M"), modes=("train", "eval"), dtypes=("own", "bf16"))
def test_xglm(results, tester):
    tester.check(results)
