# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""The phases of a decoder that generates with a static KV cache, each a test of its own.

*Prefill* reads a batch of prompts into an empty cache; *decode* reads one token for each of them
beside a cache that holds their prompts. Both have fixed shapes, so that one program serves a whole
text. The cache is an input that the model writes to: what a device leaves in it is compared, too.
"""

from typing import Any

import torch

from bringup.harness.errors import UsageError
from bringup.harness.tester.model_tester import ModelTester

PREFILL, DECODE = PHASES = ("prefill", "decode")


class CachedTester(ModelTester):
    """Makes the inputs of a decoder of transformers; a subclass loads the model.

    `model_test(..., phases=("prefill", "decode"), batches=(1, 8), lengths=(32, 128))` sets `phase`,
    `batch` and `length` for each test of the sweep.
    """

    phase: str = ""
    """`prefill` or `decode`; empty: the prompts without a cache."""
    batch: int = 1
    """Prompts."""
    length: int = 32
    """Tokens of each prompt."""
    room: int = 16
    """Tokens that the cache takes behind a prompt."""

    def _load_prompts(self) -> torch.Tensor:
        """Token ids, int64 [batch, length], drawn from a fixed seed out of the vocabulary."""
        vocabulary = self._model.config.get_text_config().vocab_size
        generator = torch.Generator().manual_seed(0)
        return torch.randint(vocabulary, (self.batch, self.length), generator=generator)

    def _load_inputs(self) -> Any:
        prompts = self._load_prompts()
        if not self.phase:
            return {"input_ids": prompts}
        cache, following = self._filled(prompts)
        if self.phase == DECODE:
            return {"input_ids": following, "past_key_values": cache, "use_cache": True}
        cache.reset()
        return {"input_ids": prompts, "past_key_values": cache, "use_cache": True}

    def _filled(self, prompts: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """A cache that the model filled here, eagerly, and the token that follows each prompt,
        int64 [batch, 1].

        A cache takes its shapes from what is first written to it, so one for prefill is made by a
        model that ran, too: heads and their sizes differ from layer to layer in some models.
        """
        try:
            from transformers import StaticCache
        except ImportError as error:
            raise UsageError(f"phase {self.phase} needs transformers: {error}") from error
        model = self._model
        config = model.config.get_text_config()
        cache = StaticCache(config=config, max_cache_len=prompts.shape[1] + self.room)
        with torch.no_grad():
            outputs = model.eval()(input_ids=prompts, past_key_values=cache, use_cache=True)
        return cache, outputs.logits[:, -1:].argmax(-1)
