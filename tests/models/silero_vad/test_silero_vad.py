# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Silero VAD: speech activity, with trained weights, in a synthetic voice, a hum and a noise.

Configuration: silero-vad's silero_vad_16k.safetensors; trained weights.
"""

from importlib.metadata import files

import torch
from safetensors.torch import load_file

from bringup import ModelTester, model_test

from ..seeded import normal
from .silero_vad import CHUNK, SileroVad
from .voice import RATE, voice

CHUNKS = 32


class ThisTester(ModelTester):
    def _load_model(self):
        model = SileroVad()
        (weights,) = (f for f in files("silero-vad") if f.name == "silero_vad_16k.safetensors")
        model.load_state_dict(load_file(weights.locate()))
        return model

    def _load_inputs(self):
        samples = CHUNK * CHUNKS
        quiet = 0.001 * normal(3, samples)
        spoken = voice("aiueoaiueo")[: samples // 2]
        quiet[0, samples // 2 :][: len(spoken)] += spoken  # silence, then somebody speaks
        quiet[1] += 0.3 * torch.sin(2 * torch.pi * 50 * torch.arange(samples) / RATE)
        quiet[2] *= 100  # a noise
        return quiet


@model_test(ThisTester, "silero-vad-16k")
def test_silero_vad(results, record_property):
    spoken = results > 0.5
    truth = torch.zeros_like(spoken)
    truth[0, CHUNKS // 2 :] = True
    accuracy = (spoken == truth).float().mean().item()
    record_property("accuracy", accuracy)
    record_property("speech", "".join(".#"[int(s)] for s in spoken[0]))
    assert accuracy > 0.9
