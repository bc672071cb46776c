# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""HuBERT base, CTC.

Configuration: facebook/hubert-base-ls960, config.json.
"""

from transformers import HubertConfig, HubertForCTC

from bringup import model_test

from ..testers import SoundTester


class ThisTester(SoundTester):
    architecture = HubertForCTC

    def config(self):
        # layers and stretches of time that are left out at random could be compared with nothing
        return HubertConfig(layerdrop=0.0, apply_spec_augment=False)


@model_test(ThisTester, "hubert-base", modes=("train", "eval"), dtypes=("own", "bf16"))
def test_hubert(results):
    assert results.logits.shape == (2, 49, 32)
