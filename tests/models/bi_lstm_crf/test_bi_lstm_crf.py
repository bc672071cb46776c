# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Bi-LSTM-CRF: names in a sentence, the best path by Viterbi.

Configuration: Huang et al. 2015, arXiv:1508.01991; 9 tags, 2 x 128 wide.
"""

from bringup import ModelTester, model_test

from ..seeded import drawn, tokens
from .bi_lstm_crf import BiLstmCrf


class ThisTester(ModelTester):
    def net(self):
        return BiLstmCrf()

    def _load_model(self):
        return drawn(self.net)

    def _load_inputs(self):
        return tokens(8000, 2, 24)


@model_test(ThisTester, "bi-lstm-crf", modes=("train", "eval"))
def test_bi_lstm_crf(results):
    assert results[1].shape == (2, 24) and results[1].max() < 9
