# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What families of one kind have in common: the inputs that people give to models of that kind.

A family says its architecture, its published configuration and its size. Batches are above one,
sentences in them are of different lengths, and the attention mask says so. In train mode the inputs
have labels, and the model's first output is its loss.
"""

import torch

from bringup import ModelTester, Variant

from .seeded import at_most, build, drawn, normal, padded, tokens

IGNORED = -100
"""The label of a token that counts for nothing, in all of transformers."""


class SeededTester(ModelTester):
    """An architecture of transformers with seeded weights."""

    architecture = None

    def config(self):
        raise NotImplementedError

    def _load_model(self):
        return build(self.architecture, self.config(), example=self.example())

    def example(self):
        """A batch of the model's main input, for batch norms; None where it has none."""
        return None


class NetTester(ModelTester):
    """A network of our own, after its paper, that takes a batch of normalised pictures."""

    batch, channels, side = 2, 3, 224

    def net(self):
        raise NotImplementedError

    def _load_model(self):
        return drawn(self.net, self._load_inputs())

    def _load_inputs(self):
        return normal(self.batch, self.channels, self.side, self.side)


class PictureTester(SeededTester):
    """Normalised pictures; in train mode a class for each of them."""

    batch, side = 2, 224

    def example(self):
        return normal(self.batch, 3, self.side, self.side)

    def _load_inputs(self):
        inputs = {"pixel_values": self.example()}
        if self.mode == "train":
            inputs["labels"] = tokens(self._model.config.num_labels, self.batch, seed=1)
        return inputs


class SentencesTester(SeededTester):
    """Two sentences, one of them padded on the right; in train mode a label for each token."""

    vocabulary = 0
    length = 64
    left = False

    @property
    def words(self):
        return at_most(self.vocabulary)

    def _load_inputs(self):
        mask = padded(self.length, self.length * 5 // 8, left=self.left)
        inputs = {"input_ids": self.sentences(), "attention_mask": mask}
        if self.mode == "train":
            inputs["labels"] = inputs["input_ids"].masked_fill(mask == 0, IGNORED)
        return inputs

    def sentences(self, seed=0):
        """Tokens, none of them special: those are the first few of every vocabulary here."""
        return tokens(self.words - 8, 2, self.length, seed=seed) + 8

    def check(self, results):
        assert results.logits.shape == (2, self.length, self.words)


class DecoderTester(SentencesTester):
    """Two prompts, padded on the left, as they are for generating.

    Its variant `generate` calls `generate()`, greedily, with a cache, for a few tokens.
    """

    left = True
    new_tokens = 3

    def _load_inputs(self):
        inputs = super()._load_inputs()
        if self.variant == "generate":
            inputs |= {"max_new_tokens": self.new_tokens, "do_sample": False}
        return inputs

    def check(self, results):
        if self.variant == "generate":
            assert results.shape == (2, self.length + self.new_tokens)
            assert results.dtype is torch.int64 and results[:, : self.length].max() < self.words
        else:
            super().check(results)


class TranslationTester(SentencesTester):
    """Two sentences and the first words of what is to be said of them."""

    spoken = 16

    def _load_inputs(self):
        inputs = super()._load_inputs()
        said = self.sentences(seed=1)[:, : self.spoken].contiguous()  # losses take views of it
        if self.mode == "train":
            return inputs | {"labels": said}
        return inputs | {"decoder_input_ids": said}

    def check(self, results):
        assert results.logits.shape == (2, self.spoken, self.words)


class SoundTester(SeededTester):
    """A second of sound at 16 kHz and a shorter one.

    In train mode there are no labels, as a model with CTC asks Python how large they are, which no
    exported program can: the loss is that of its logits.
    """

    samples = 16000

    def _load_inputs(self):
        mask = padded(self.samples, self.samples * 5 // 8)
        return {"input_values": normal(2, self.samples) * mask, "attention_mask": mask}


def generating(name):
    """Both ways people run a decoder: its logits with the cache it returns, and `generate()`."""
    return (
        Variant("", name),
        Variant("generate", name, modes=("eval",), dtypes=("own",), options={"run_generate": True}),
    )
