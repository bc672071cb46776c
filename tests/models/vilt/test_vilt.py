# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""ViLT: a question and a picture in one encoder.

Configuration: dandelin/vilt-b32-finetuned-vqa, config.json; 384 x 384 as a mask of padding
allows.
"""

from transformers import ViltConfig, ViltForQuestionAnswering

from bringup import model_test

from ..seeded import normal
from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = ViltForQuestionAnswering
    vocabulary, length = 30522, 40

    def config(self):
        return ViltConfig(vocab_size=self.words, num_labels=3129)

    def _load_inputs(self):
        return super()._load_inputs() | {"pixel_values": normal(2, 3, 384, 384)}


@model_test(ThisTester, "vilt-b32-vqa")
def test_vilt(results):
    assert results.logits.shape == (2, 3129)
