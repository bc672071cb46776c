# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Bi-LSTM-CRF: names in a sentence, the best path by Viterbi."""

import torch
from torch import nn


class BiLstmCrf(nn.Module):
    """Tokens [n, length] to the scores of tags and to the best path of tags [n, length]."""

    def __init__(self, words=8000, tags=9, width=128):
        super().__init__()
        self.words = nn.Embedding(words, 100)
        self.lstm = nn.LSTM(100, width, batch_first=True, bidirectional=True)
        self.scores, self.start = nn.Linear(2 * width, tags), nn.Parameter(torch.randn(tags))
        self.moves = nn.Parameter(torch.randn(tags, tags))

    def forward(self, tokens):
        scores = self.scores(self.lstm(self.words(tokens))[0])
        best, steps = self.start + scores[:, 0], []
        for place in range(1, tokens.shape[1]):
            best, came = (best[:, :, None] + self.moves).max(dim=1)
            best = best + scores[:, place]
            steps.append(came)
        path = [best.argmax(dim=1)]
        for came in reversed(steps):
            path.append(came.gather(1, path[-1][:, None])[:, 0])
        return scores, torch.stack(path[::-1], dim=1)
