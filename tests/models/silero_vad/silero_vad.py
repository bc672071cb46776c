# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Silero VAD at 16 kHz: whether somebody speaks, every 32 ms; the package's weights fit it."""

import torch
from torch import nn

CHUNK, CONTEXT = 512, 64
"""Samples that are judged at once, and those before them that are seen, too."""


class SileroVad(nn.Module):
    """Sound [n, CHUNK * chunks], from -1 to 1, to chances of speech [n, chunks]."""

    def __init__(self):
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, 2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, 2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, sound):
        chunks = nn.functional.pad(sound, (CONTEXT, 0)).unfold(1, CHUNK + CONTEXT, CHUNK)
        seen = self.heard(chunks.flatten(0, 1)).reshape(*chunks.shape[:2], -1)
        state, chances = None, []
        for place in range(chunks.shape[1]):
            state = self.lstm_cell(seen[:, place], state)
            chances.append(self.final_conv(state[0].relu()[:, :, None]).sigmoid()[:, 0, 0])
        return torch.stack(chances, dim=1)

    def heard(self, chunks):
        """What the convolutions make of chunks [n, CONTEXT + CHUNK]: [n, 128]."""
        x = self.stft_conv(nn.functional.pad(chunks, (0, CONTEXT), "reflect")[:, None])
        real, imaginary = x.chunk(2, dim=1)
        x = (real**2 + imaginary**2).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = layer(x).relu()
        return x[:, :, 0]
