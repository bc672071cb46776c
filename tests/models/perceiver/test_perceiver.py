# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Perceiver IO: 2,048 bytes of text through 256 latents.

Configuration: deepmind/language-perceiver, config.json.
"""

import torch
from transformers import PerceiverConfig, PerceiverForMaskedLM

from bringup import model_test

from ..seeded import padded, tokens
from ..testers import SeededTester


class ThisTester(SeededTester):
    architecture = PerceiverForMaskedLM

    def config(self):
        return PerceiverConfig()

    def _load_inputs(self):
        text = torch.nn.functional.pad(tokens(256, 1, 512) + 6, (0, 1536))
        return {"inputs": text, "attention_mask": padded(512, 2048)[:1]}


@model_test(ThisTester, "language-perceiver")
def test_perceiver(results):
    assert results.logits.shape == (1, 2048, 262)
