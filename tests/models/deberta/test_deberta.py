# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""DeBERTa-v3 small: attention between content and position.

Configuration: microsoft/deberta-v3-small, config.json.
"""

from transformers import DebertaV2Config, DebertaV2Model

from bringup import model_test

from ..testers import SentencesTester


class ThisTester(SentencesTester):
    architecture = DebertaV2Model
    vocabulary = 128100

    def config(self):
        return DebertaV2Config(
            vocab_size=self.words,
            hidden_size=768,
            num_hidden_layers=6,
            relative_attention=True,
            position_buckets=256,
            pos_att_type=["p2c", "c2p"],
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            max_relative_positions=-1,
            position_biased_input=False,
            type_vocab_size=0,
        )


@model_test(ThisTester, "deberta-v3-small", dtypes=("own", "bf16"))
def test_deberta(results, tester):
    assert results.last_hidden_state.shape == (2, tester.length, 768)
