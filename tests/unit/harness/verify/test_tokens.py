# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Token ids are compared by the text they decode to."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from bringup.harness.errors import UsageError
from bringup.harness.records.schema import Metric
from bringup.harness.verify import compare_tokens, mismatches, verdict
from tests.unit.made_outputs import OFF, X, check, record


@pytest.fixture(scope="module")
def tokenizer():
    words = ["a", "cat", "sat", "[UNK]", "</s>"]
    model = WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(model), unk_token="[UNK]", eos_token="</s>"
    )


@pytest.mark.parametrize(
    ("actual", "passes"),
    [
        (torch.tensor([[0, 1, 2]]), True),
        (torch.tensor([[0, 1, 2]], dtype=torch.int32), True),
        (torch.tensor([0, 1, 2]), True),
        (np.array([[0, 1, 2]]), True),
        ([[0, 1, 2]], True),
        ([0, 1, 2], True),
        ([torch.tensor([0, 1, 2])], True),
        (torch.tensor([[0, 2, 1]]), False),
        (torch.tensor([[0, 1]]), False),
        (torch.tensor([[0, 1, 2, 4]]), False),
        (torch.tensor([[0, 1, 2, 9999]]), False),
        (torch.tensor([[0, 1, 2, -1]]), False),
        (torch.tensor([[0, 1, 2], [0, 1, 2]]), False),
        (torch.empty(0, 3, dtype=torch.int64), False),
        (torch.tensor([[0.0, 1.0, 2.0]]), False),
        (torch.tensor([[[0, 1, 2]]]), False),
        ([[0.5, 1, 2]], False),
        (None, False),
    ],
)
def test_tokens_are_compared_by_their_text(tokenizer, actual, passes):
    outputs = compare_tokens(torch.tensor([[0, 1, 2]]), actual, tokenizer)
    assert verdict(outputs) is passes
    assert bool(mismatches(outputs)) is not passes


def test_other_ids_of_the_same_text_are_right():
    class Lower:
        def batch_decode(self, sequences):
            return ["".join("aA"[t] for t in row).lower() for row in sequences]

    assert verdict(compare_tokens([[0, 0]], [[0, 1]], Lower()))


def test_wrong_tokens_are_counted_shown_and_have_a_switch(tokenizer):
    outputs = compare_tokens([[0, 1], [0, 2]], [[0, 1], [0, 1]], tokenizer)
    assert check("tokens", outputs).measured == Metric.of(1)
    assert mismatches(outputs) == [
        "tokens: tokens, 1 differing: in sequence 1 from character 2 on,"
        " actual has 'a cat', golden 'a sat'."
    ]
    assert verdict(compare_tokens([[0, 1]], [[0, 2]], tokenizer, OFF))


def test_golden_tokens_must_be_tokens(tokenizer):
    with pytest.raises(UsageError, match="golden token ids are not integers"):
        compare_tokens(X, [[0]], tokenizer)


def test_a_model_that_gives_tokens_passes_without_any_pcc(tokenizer):
    outputs = compare_tokens(torch.tensor([[0, 1, 2]]), torch.tensor([[0, 1, 2]]), tokenizer)
    assert verdict(outputs)
    assert record(*outputs).pcc is None
