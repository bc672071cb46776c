# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""GPT, the first.

Configuration: openai-community/openai-gpt, config.json.
"""

from transformers import OpenAIGPTConfig, OpenAIGPTLMHeadModel

from bringup import model_test

from ..testers import DecoderTester


class ThisTester(DecoderTester):
    architecture = OpenAIGPTLMHeadModel
    vocabulary = 40478

    def config(self):
        return OpenAIGPTConfig(vocab_size=self.words)


@model_test(ThisTester, "openai-gpt", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_openai_gpt(results, tester):
    tester.check(results)
