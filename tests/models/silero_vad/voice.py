# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A voice that says vowels: pulses of the glottis through the resonances of a mouth.

Formants are the averages of Peterson and Barney, 1952, table II, men.
"""

import math

import torch

RATE = 16000
VOWELS = {
    "a": (730, 1090, 2440),
    "i": (270, 2290, 3010),
    "u": (300, 870, 2240),
    "e": (530, 1840, 2480),
    "o": (570, 840, 2410),
}


def voice(vowels: str, seconds: float = 0.2, pitch: float = 120.0) -> torch.Tensor:
    """The vowels one after another, each swelling and fading: float32 [samples], from -1 to 1."""
    return torch.cat(
        [_vowel(VOWELS[v], seconds, pitch * (1 + i % 3 / 8)) for i, v in enumerate(vowels)]
    )


def _vowel(formants: tuple[int, ...], seconds: float, pitch: float) -> torch.Tensor:
    time = torch.arange(int(seconds * RATE)) / RATE
    glide = pitch * (1 + 0.1 * torch.cos(2 * math.pi * 2.5 * time))
    phase = 2 * math.pi * glide.cumsum(0) / RATE
    sound = torch.zeros_like(time)
    for harmonic in range(1, int(RATE / 2 / (1.2 * pitch))):
        sound += _loudness(harmonic * pitch, formants) * torch.sin(harmonic * phase)
    swell = torch.sin(math.pi * time / seconds) ** 0.5
    return 0.5 * swell * sound / sound.abs().max()


def _loudness(frequency: float, formants: tuple[int, ...]) -> float:
    """A harmonic's, after a source that falls by 12 dB an octave and resonances 80 Hz wide."""
    gain = (100 / frequency) ** 1.2
    for formant in formants:
        gain *= formant**2 / math.hypot(formant**2 - frequency**2, 80 * frequency)
    return gain
